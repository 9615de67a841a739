"""Adding and changing a model endpoint, for administrators."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst, format_lazy
from django.utils.translation import gettext_lazy as _

from casebook.forms.fields import AmountField, JSONObjectField, PlainTextField
from ensemble.backends import open_backend
from ensemble.endpoints import EMBEDDED_MODEL, count_tests_under_way
from ensemble.errors import EndpointError
from ensemble.models import Endpoint
from ensemble.protocol import decimal_text

if TYPE_CHECKING:
    EndpointModelForm = forms.ModelForm[Endpoint]
else:
    EndpointModelForm = forms.ModelForm

Kind = Endpoint.Kind
EXPLANATIONS = {
    Kind.EMBEDDED: _(
        "A small English model inside the worker. It needs no server and no download: good for trying the method, "
        "not for judging anybody’s product."
    ),
    Kind.OLLAMA: _("A local or remote server with models of your choice. The usual kind."),
    Kind.SCRIPTED: _("No model at all: answers with a known error rate, to test the instrument itself."),
}
# What each kind needs; a field that is not listed means nothing to it and is emptied.
NEEDED = {Kind.EMBEDDED: (), Kind.OLLAMA: ("url", "model"), Kind.SCRIPTED: ("options",)}
POSSIBLE = {
    Kind.EMBEDDED: ("options",),
    Kind.OLLAMA: ("url", "model", "key_variable", "options"),
    Kind.SCRIPTED: ("options", "model"),
}
PRICES = ("prompt_price", "answer_price")
OF_SOME_KINDS = ("url", "model", "key_variable", "options")
SCRIPT_EXAMPLE = '{"distribution": [{"text": "Yes.", "share": "0.3"}, {"text": "No.", "share": "0.7"}]}'
# What a locked protocol names, or what decides which model answers.
LOCKED_IN = ("name", "backend", "model", "url", "options")


class CurrencyField(PlainTextField):
    """The three letters of a currency, in capitals."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(value).upper()


class EndpointForm(EndpointModelForm):
    usernames = PlainTextField(
        label=_("People who may use it"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Usernames, separated by spaces or commas. Administrators may always use it."),
    )

    class Meta:
        model = Endpoint
        fields = (
            "name", "backend", "url", "model", "key_variable", "options",
            "prompt_price", "answer_price", "currency", "concurrency", "timeout_seconds", "is_enabled", "is_open",
        )  # fmt: skip
        localized_fields = PRICES
        field_classes = {
            "name": PlainTextField,
            "model": PlainTextField,
            "url": PlainTextField,
            "options": JSONObjectField,
            "prompt_price": AmountField,
            "answer_price": AmountField,
            "currency": CurrencyField,
        }
        widgets = {
            "backend": forms.RadioSelect,
            "options": forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
            "currency": forms.TextInput(attrs={"placeholder": "USD"}),
        }
        help_texts = {
            "name": _("As people will see it, and as protocols will record it."),
            "url": _("For example http://127.0.0.1:11434. Only an administrator can set it."),
            "model": _("The name and tag on the server, for example llama3.2:3b."),
            "key_variable": _(
                "The key itself is never stored: name the environment variable of the server and the worker that "
                "holds it, for example CASEBOOK_KEY_LAB. Leave empty if the server asks for none."
            ),
            "options": format_lazy("{} {}", _("JSON, for example:"), SCRIPT_EXAMPLE),
            "concurrency": _("How many calls the server takes at the same time, from all tests together."),
            "is_enabled": _("Clear the tick to keep it out of new tests."),
            "is_open": _(
                "With a tick, everybody with an account may make calls on it, at the expense of whoever pays for it. "
                "Without one, only administrators and the people named below may."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        backend = self.fields["backend"]
        assert isinstance(backend, forms.ChoiceField)
        backend.choices = [(kind, _explain(kind)) for kind in Kind]
        for name in ("url", "model"):
            self.fields[name].required = True  # marked as such; `clean` knows which kind needs which
        self.initial.setdefault("backend", Kind.OLLAMA)
        for name in PRICES:
            if self.initial.get(name) is not None:  # without the idle zeros that the database adds
                self.initial[name] = Decimal(decimal_text(self.initial[name]))
        if self.instance.pk:
            self.initial["usernames"] = ", ".join(self.instance.users.values_list("username", flat=True))

    def clean_usernames(self) -> list[Any]:
        names = [name for name in re.split(r"[\s,;]+", self.cleaned_data["usernames"]) if name]
        users = list(get_user_model().objects.filter(username__in=names))
        missing = sorted(set(names) - {user.get_username() for user in users})
        if missing:
            raise ValidationError(
                _("No account has the username: %(names)s."), params={"names": ", ".join(missing)}
            )
        return users

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("backend")
        for name in OF_SOME_KINDS:
            is_blank = not self[name].data
            if kind is None or name not in POSSIBLE[kind] or (is_blank and name not in NEEDED[kind]):
                cleaned[name] = {} if name == "options" else ""
                self.errors.pop(name, None)
        if kind == Kind.EMBEDDED:
            cleaned["model"] = EMBEDDED_MODEL
        self._check_prices(cleaned)
        self._refuse_change_under_way(cleaned)
        return cleaned

    def _check_prices(self, cleaned: Mapping[str, Any]) -> None:
        """Both prices and their currency, or none of them."""
        if not {*PRICES, "currency"}.isdisjoint(self.errors):
            return
        missing = [name for name in PRICES if cleaned.get(name) is None]
        if missing and (len(missing) < len(PRICES) or cleaned["currency"]):
            self.add_error(missing[0], _("Give both prices with their currency, or leave all three empty."))
        elif not missing and not cleaned["currency"]:
            self.add_error("currency", _("Give the currency of the prices."))

    def _refuse_change_under_way(self, cleaned: dict[str, Any]) -> None:
        """A locked test is made on what it was locked to: the endpoint stays as it is until the test is over."""
        if not self.instance.pk:
            return
        stored = Endpoint.objects.get(pk=self.instance.pk)
        changed = [name for name in LOCKED_IN if name in cleaned and cleaned[name] != getattr(stored, name)]
        if changed and count_tests_under_way(stored):
            message = _("A locked test that is not over uses this endpoint: add another endpoint instead.")
            for name in changed:
                self.add_error(name, message)

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django documents the hook; its stubs leave it out
        # Opening reads the options and calls nothing. The embedded model belongs to the worker, so it is not opened.
        if not self.errors and self.cleaned_data["backend"] != Kind.EMBEDDED:
            try:
                open_backend(self.instance.config()).close()
            except EndpointError as error:
                self.add_error("options", str(error))

    def save(self, commit: bool = True) -> Endpoint:
        endpoint = super().save(commit)
        endpoint.users.set(self.cleaned_data["usernames"])
        return endpoint


def _explain(kind: Kind) -> SafeString:
    return format_html('{}<span class="cb-help">{}</span>', capfirst(kind.label), EXPLANATIONS[kind])
