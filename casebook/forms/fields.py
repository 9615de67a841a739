"""Form fields for what people paste: text that a database can hold, amounts, imprecise dates, several files."""

from __future__ import annotations

import json
import re
import zoneinfo
from datetime import timedelta
from functools import cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils import timezone
from django.utils.formats import get_format, sanitize_separators
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from casebook.dates import ImpreciseDateError, format_imprecise_date, parse_imprecise_date

# Grouping of thousands: an ordinary, no-break or narrow no-break space; in English also a comma.
SPACES = re.compile(r"[\s\u00a0\u202f]")
ESCAPED_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")  # in JSON: an odd number of backslashes
GROUPED_BY_COMMAS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")


class PlainTextField(forms.CharField):
    """Text as it was typed, with LF line ends. What cannot be kept as text is refused, never altered silently.

    There is no `maxlength` in the page: a browser would cut a pasted quotation without a word.
    """

    default_error_messages = {
        "unstorable": _(
            "This text contains a character that cannot be stored (NUL or half of a character). Remove it "
            "here and attach the original as a file."
        ),
    }

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not isinstance(text, str):
            return text
        if "\0" in text or not is_encodable(text):
            raise ValidationError(self.error_messages["unstorable"], code="unstorable")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        attrs = super().widget_attrs(widget)
        attrs.pop("maxlength", None)
        return {"dir": "auto", **attrs}


def is_encodable(text: str) -> bool:
    """Whether `text` is free of lone surrogates, which have no UTF-8 form."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def is_storable_json(document: Any) -> bool:
    """Whether a database that checks its JSON takes `document`: it has no NUL, lone surrogate, NaN or infinity."""
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return False
    return not ESCAPED_NUL.search(text) and is_encodable(text)


# Django's own messages, which the catalogue words as the rest of Casebook.
DJANGO_MESSAGES = (
    gettext_noop("Ensure this value is greater than or equal to %(limit_value)s."),
    gettext_noop("Ensure this value is less than or equal to %(limit_value)s."),
)


class AmountField(forms.DecimalField):
    """An amount of money as people write it: 1 234,50 in Russian, 1,234.50 in English, 1234.50 in both."""

    widget = forms.TextInput
    default_error_messages = {"invalid": _("Enter an amount such as 1234.50, without the currency.")}

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = SPACES.sub("", value)
            # Where the comma is the decimal sign, 1,234 is not a thousand.
            if get_format("DECIMAL_SEPARATOR") == "." and GROUPED_BY_COMMAS.fullmatch(value):
                value = value.replace(",", "")
            value = sanitize_separators(value)
        return super().to_python(value)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {**super().widget_attrs(widget), "inputmode": "decimal"}


class ImpreciseDateField(PlainTextField):
    """A day, a month or a year, exact or about; cleans to the canonical text of `casebook.dates`."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text in self.empty_values:
            return text
        # Somewhere on earth it is tomorrow already: UTC+14.
        today = (timezone.now() + timedelta(hours=14)).date()
        try:
            return str(parse_imprecise_date(text, today=today))
        except ImpreciseDateError as error:
            raise ValidationError(str(error), code="invalid") from error

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not value:
            return value
        # To be edited: with spaces as one types them.
        return format_imprecise_date(value).replace("\u00a0", " ")


@cache
def name_time_zones() -> dict[str, str]:
    """The names of all time zones by their lower-case forms; reading them opens hundreds of files."""
    return {name.lower(): name for name in sorted(zoneinfo.available_timezones())}


class TimeZoneField(PlainTextField):
    """The name of a time zone, in any case of letters; kept as the database of zones writes it."""

    default_error_messages = {
        "unknown_zone": _(
            "There is no time zone with this name. Examples: Europe/Moscow, America/Vancouver, UTC."
        )
    }

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if text in self.empty_values:
            return text
        name = name_time_zones().get(text.lower().replace(" ", "_"))
        if name is None:
            raise ValidationError(self.error_messages["unknown_zone"], code="unknown_zone")
        return name


class JSONObjectField(forms.JSONField):
    """A JSON object that can be stored; empty cleans to an empty object."""

    default_error_messages = {
        "no_object": _("A JSON object is needed: { … }."),
        "unstorable": _("It contains something that cannot be stored: NUL, half of a character, or NaN."),
    }

    def to_python(self, value: Any) -> Any:
        document = super().to_python(value)
        if document is None:
            return {}
        if not isinstance(document, dict):
            raise ValidationError(self.error_messages["no_object"], code="no_object")
        if not is_storable_json(document):
            raise ValidationError(self.error_messages["unstorable"], code="unstorable")
        return document

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was typed is shown again as it was typed, whatever it holds."""
        return InvalidJSONInput(data or "")

    def prepare_value(self, value: Any) -> Any:
        return (
            value
            if isinstance(value, str)
            else json.dumps(value, ensure_ascii=False, indent=1)
            if value
            else ""
        )


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Any number of files; cleans to a list, empty when none was chosen."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        chosen = data if isinstance(data, list | tuple) else [data] if data else []
        if not chosen:
            super().clean(None, initial)  # says so when a file is required
        return [super(ManyFilesField, self).clean(item, initial) for item in chosen]
