"""Filters of the report's templates: text from outside is shown through these and never otherwise."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString

from casebook.reporting.reasons import write_label_reason
from casebook.visible import show_isolated, show_text

register = template.Library()


@register.filter
def visible(text: str) -> SafeString:
    """Text for an element of its own, whose `dir` the template sets."""
    return show_text(text)


@register.filter
def label_reason(recorded: str) -> SafeString:
    """Why an answer has its label, in the reader's language, within a line of ours."""
    return show_isolated(write_label_reason(recorded))


@register.filter
def isolated(text: str) -> SafeString:
    """Text within a line of ours: escaped, isolated, with its own direction."""
    return show_isolated(text)
