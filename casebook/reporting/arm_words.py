"""What pages and reports say of an arm before any of its runs: who wrote its text, when it begins, how it differs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext

from casebook.neutral_names import say_proposer
from casebook.report_numbers import NumberWriter
from ensemble.protocol import BY_HAND, Purpose

Document = Mapping[str, Any]


def write_origin(purpose: str, origin: Document | None) -> str:
    """Who wrote what the arm sends."""
    if not origin:
        replaced = purpose == Purpose.IRRELEVANT_NAME
        return gettext("as recorded, the names replaced") if replaced else gettext("as recorded")
    if not origin["proposed_by"]:
        return gettext("written by %(person)s") % {"person": origin["written_by"]}
    facts = {"model": say_proposer(origin["proposed_by"]), "person": origin["approved_by"]}
    if origin["is_edited"]:
        return gettext("proposed by %(model)s, edited and approved by %(person)s") % facts
    return gettext("proposed by %(model)s, approved by %(person)s") % facts


def write_beginning(begins: str, numbers: NumberWriter) -> str:
    """When the arm begins, as it was planned."""
    if not begins:
        return gettext("at once")
    if begins == BY_HAND:
        return gettext("when somebody starts it")
    return numbers.write_minute(datetime.fromisoformat(begins))
