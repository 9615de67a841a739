"""The fields of the protocol editor that Django does not have: phrases, decimal numbers, endpoints, plans."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import get_format
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from casebook.forms.fields import PlainTextField
from casebook.neutral_names import say_endpoint
from casebook.report_numbers import number_writer
from ensemble.models import Endpoint
from ensemble.protocol import decimal_text
from ensemble.stats.designs import OFFERED_PLANS

if TYPE_CHECKING:
    EndpointChoiceField = forms.ModelChoiceField[Endpoint]
else:
    EndpointChoiceField = forms.ModelChoiceField

MOST_PHRASES = 50
_WITH_COMMA = re.compile(r"[+-]?\d*,\d+")


class LinesField(PlainTextField):
    """Phrases, one a line; cleans to a list without blank lines."""

    widget = forms.Textarea(attrs={"rows": 3})

    def __init__(self, *, most: int = MOST_PHRASES, **kwargs: Any) -> None:
        self.most = most
        super().__init__(**kwargs)

    def clean(self, value: Any) -> Any:
        text = super().clean(value) or ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if len(lines) > self.most:
            raise ValidationError(_("At most %(most)s lines.") % {"most": self.most})
        return lines


class NumberTextField(forms.DecimalField):
    """A decimal number, with a decimal comma where the language has one; shown in its plain form."""

    widget = forms.TextInput(attrs={"inputmode": "decimal"})

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(localize=True, max_digits=30, **kwargs)

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except ValidationError as error:
            if get_format("DECIMAL_SEPARATOR") == "." and _WITH_COMMA.fullmatch(str(value).strip()):
                raise ValidationError(_("Use a point as the decimal sign, not a comma: 0.3.")) from error
            raise


def design_choices() -> list[tuple[str, str]]:
    """The precision plans on offer, as "half_width level"."""
    numbers = number_writer(get_language() or "en")
    choices = []
    for plan in OFFERED_PLANS:
        label = _("±%(width)s percentage points, %(level)s%% interval: at most %(most)s runs") % {
            "width": numbers.write_points(decimal_text(plan.half_width)),
            "level": numbers.write_points(decimal_text(plan.level)),
            "most": plan.max_runs,
        }
        choices.append((f"{decimal_text(plan.half_width)} {decimal_text(plan.level)}", label))
    return choices


class EndpointSelect(forms.Select):
    """Marks endpoints whose last check failed and embedded ones: the style sheet shows a notice once one is chosen."""

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(*args, **kwargs)
        endpoint = getattr(option["value"], "instance", None)
        marks = {"cb-unwell": is_unwell(endpoint), "cb-embedded": is_embedded(endpoint)}
        if names := [name for name, applies in marks.items() if applies]:
            option["attrs"]["class"] = " ".join(names)
        return option


class EndpointField(EndpointChoiceField):
    widget = EndpointSelect

    def label_from_instance(self, obj: Any) -> str:
        name = say_endpoint(obj.name, obj.backend)
        return gettext("%(name)s (last check failed)") % {"name": name} if is_unwell(obj) else name


def is_embedded(endpoint: Endpoint | None) -> bool:
    """Whether the small model inside Casebook answers there."""
    return endpoint is not None and endpoint.backend == Endpoint.Kind.EMBEDDED


def is_unwell(endpoint: Endpoint | None) -> bool:
    """Whether the last check of the endpoint failed."""
    return endpoint is not None and endpoint.check_state == "failed"
