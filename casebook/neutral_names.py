"""Names that protocols keep in one neutral form, English, and that pages and reports say in the reader's language."""

from __future__ import annotations

import re

from django.utils.translation import get_language, gettext, gettext_noop

from casebook.report_numbers import number_writer
from ensemble.endpoints import EMBEDDED_NAME

AS_RECORDED = gettext_noop("as recorded, default sampling")
AS_RECORDED_CHOSEN = gettext_noop("as recorded, chosen sampling")
TEMPERATURE = gettext_noop("temperature %(value)s")

# Protocols that were locked before names were neutral keep them in the language of their planner.
_KNOWN = {
    AS_RECORDED: AS_RECORDED,
    AS_RECORDED_CHOSEN: AS_RECORDED_CHOSEN,
    "запрос из дела, параметры генерации по умолчанию": AS_RECORDED,
}
_TEMPERATURE = re.compile(r"(?:temperature|температура) (?P<value>[0-9]+(?:[.,][0-9]+)?)")


def say_arm(name: str) -> str:
    """The name of an arm in the active language; a name that is not ours stays as it is stored."""
    if name in _KNOWN:
        return gettext(_KNOWN[name])
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
