"""Where the language switch leads."""

from __future__ import annotations

from urllib.parse import quote

from django import template

from casebook.models import Case

register = template.Library()


@register.simple_tag(takes_context=True)
def address_in(context: template.Context, language: str) -> str:
    """The address of this page in `language`, quoted for a query: a sample's is that of its twin."""
    case, request = context.get("case"), context.get("request")
    twin = case.twin_in(language) if isinstance(case, Case) else None
    here = request.get_full_path() if request else "/"
    return quote(twin.get_absolute_url() if twin else here, safe="")
