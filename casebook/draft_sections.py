"""The sections of the protocol editor in which two drafts differ, by the names that stand on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

SECTIONS: dict[str, Any] = {
    "title": _("The test"),
    "question": _("The test"),
    "endpoint": _("Endpoint and sampling"),
    "sampling": _("Endpoint and sampling"),
    "temperatures": _("Endpoint and sampling"),
    "detector": _("Error detector"),
    "refusal_phrases": _("Refusals"),
    "arms": _("Arms"),
    "stopping": _("Stopping rule"),
    "tryout": _("Try it"),
}


def list_differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The names of the sections, in the order of the page, each once."""
    differing = (str(name) for key, name in SECTIONS.items() if one.get(key) != other.get(key))
    return list(dict.fromkeys(differing))
