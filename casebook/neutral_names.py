"""Names that protocols keep in one neutral form, English, and that pages and reports say in the reader's language."""

from __future__ import annotations

import re

from django.utils.translation import get_language, gettext, gettext_noop

from casebook.report_numbers import number_writer
from ensemble.endpoints import EMBEDDED_NAME
from ensemble.protocol import Purpose

AS_RECORDED = gettext_noop("as recorded, default sampling")
AS_RECORDED_CHOSEN = gettext_noop("as recorded, chosen sampling")
TEMPERATURE = gettext_noop("temperature %(value)s")
ARM_KINDS = {
    Purpose.ENDPOINT: gettext_noop("other endpoint"),
    Purpose.ORDINARY_USE: gettext_noop("ordinary use"),
    Purpose.BEFORE_NOTICE: gettext_noop("before notice"),
    Purpose.AFTER_NOTICE: gettext_noop("after notice"),
    Purpose.DISCLAIMER: gettext_noop("disclaimer in place"),
    Purpose.IRRELEVANT_NAME: gettext_noop("irrelevant name"),
    Purpose.CONTROL: gettext_noop("control"),
    Purpose.PARAPHRASE: gettext_noop("paraphrase"),
    Purpose.DAY: gettext_noop("day"),
}

# Protocols that were locked before names were neutral keep them in the language of their planner.
_KNOWN = {
    AS_RECORDED: AS_RECORDED,
    AS_RECORDED_CHOSEN: AS_RECORDED_CHOSEN,
    "запрос из дела, параметры генерации по умолчанию": AS_RECORDED,
}
# What `casebook.arms` makes of a kind, a number and the planner's own name for the arm.
_KIND = re.compile(rf"(?P<kind>{'|'.join(ARM_KINDS.values())})(?P<number> [0-9]+)?(?P<own>: .*)?", re.DOTALL)
_TEMPERATURE = re.compile(r"(?:temperature|температура) (?P<value>[0-9]+(?:[.,][0-9]+)?)")


def say_arm(name: str) -> str:
    """The name of an arm in the active language; a name that is not ours stays as it is stored."""
    if (plain := name.replace("\u00a0", " ")) in _KNOWN:
        return gettext(_KNOWN[plain])
    if kind := _KIND.fullmatch(name):
        return gettext(kind["kind"]) + (kind["number"] or "") + (kind["own"] or "")
    found = _TEMPERATURE.fullmatch(name)
    if found is None:
        return name
    value = number_writer(get_language() or "en").write_decimal(found["value"].replace(",", "."))
    return gettext(TEMPERATURE) % {"value": value}


def say_endpoint(name: str, backend: str) -> str:
    """The name of an endpoint; the one that Casebook itself made has a name in every language."""
    if backend == "embedded" and name == EMBEDDED_NAME:
        return gettext("Embedded model")
    return name


def say_proposer(described: str) -> str:
    """An endpoint with its model in brackets, as proposals keep it."""
    name, bracket, model = described.partition(" (")
    return say_endpoint(name, "embedded") + bracket + model
