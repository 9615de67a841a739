"""The report's words for what the engine stores as keys, and the notes beside intervals."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

LABELS: dict[str, Any] = {
    "error": pgettext_lazy("label of an answer", "error"),
    "no error": pgettext_lazy("label of an answer", "no error"),
    "unclear": pgettext_lazy("label of an answer", "unclear"),
}
OUTCOMES: dict[str, Any] = {
    "answered": pgettext_lazy("outcome of a call", "answered"),
    "refused": pgettext_lazy("outcome of a call", "refused"),
    "truncated": pgettext_lazy("outcome of a call", "truncated"),
    "failed": pgettext_lazy("outcome of a call", "failed"),
}
STATES: dict[str, Any] = {
    "locked": pgettext_lazy("state of a test", "locked, not started"),
    "running": pgettext_lazy("state of a test", "running"),
    "paused": pgettext_lazy("state of a test", "paused"),
    "completed": pgettext_lazy("state of a test", "completed"),
    "cancelled": pgettext_lazy("state of a test", "cancelled"),
    "failed": pgettext_lazy("state of a test", "failed"),
}
EVENTS: dict[str, Any] = {
    "amended": _("amendment"),
    "paused": _("paused"),
    "resumed": _("resumed"),
    "cancelled": _("cancelled"),
    "failed": _("failed"),
    "arm_opened": _("started by hand"),
    "arm_skipped": _("given up before its first run"),
}
# The same where a person is named, as the page that asked for it says.
EVENTS_BY: dict[str, Any] = {
    "arm_opened": _("started by %(person)s"),
    "arm_skipped": _("given up before its first run by %(person)s"),
}
ROLES: dict[str, Any] = {
    "system": pgettext_lazy("speaker", "System prompt"),
    "user": pgettext_lazy("speaker", "User"),
    "assistant": pgettext_lazy("speaker", "Assistant"),
}
HARMS: dict[str, Any] = {
    "none": _("none known"),
    "money": _("loss of money"),
    "reputation": _("reputation"),
    "health": _("health"),
    "rights": _("loss of a right or a deadline"),
    "distress": _("distress"),
    "other": _("other"),
}
BACKENDS: dict[str, Any] = {
    "embedded": _("language model inside Casebook"),
    "ollama": _("Ollama server"),
    "scripted": _("scripted answers, no language model: a test of the instrument itself"),
}
METHODS: dict[str, Any] = {
    "clopper-pearson": _("Clopper–Pearson (exact)"),
    "planned-precision": _("planned precision"),
    "confidence-sequence": _("confidence sequence"),
    "wilson": _("Wilson (score)"),
    "missing-label-band": _("worst-case band"),
    "newcombe": _("Newcombe (score)"),
    "miettinen-nurminen": _("Miettinen–Nurminen"),
    "two confidence sequences": _("two confidence sequences"),
    "korn-graubard": _("Korn–Graubard"),
    "beta-binomial predictive": _("beta-binomial, predictive"),
}
ARM_TESTS: dict[str, Any] = {"boschloo": _("Boschloo"), "fisher": _("Fisher")}
DETECTORS: dict[str, Any] = {"text": _("words of the answer"), "number": _("a number in the answer")}
MATCHES: dict[str, Any] = {
    "contains": _("the answer contains one of these"),
    "starts with": _("the answer starts with one of these"),
    "pattern": _("the answer matches one of these patterns"),
}
NUMBER_RULES: dict[str, Any] = {
    "differs": _("error when the number differs from the truth"),
    "equals disputed": _("error when the number is the disputed one"),
}
PICKS: dict[str, Any] = {
    "first": _("the first number"),
    "last": _("the last number"),
    "only": _("the only number"),
}
SAMPLING: dict[str, Any] = {
    "temperature": _("temperature"),
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repeat_penalty": _("repeat penalty"),
    "max_tokens": _("longest answer, tokens"),
    "context_length": _("context length, tokens"),
    "stop": _("stop sequences"),
}
IDENTITY: dict[str, Any] = {
    "name": _("model, as the endpoint names it"),
    "digest": _("digest"),
    "family": _("family"),
    "parameter_size": _("parameters"),
    "quantisation": _("quantisation"),
    "template_sha256": _("SHA-256 of the template"),
    "context_length": _("context length"),
    "licence": _("licence"),
    "server": _("server"),
    "remote": _("remote host"),
    "hardware": _("hardware"),
}
NOTES: dict[str, Any] = {
    "no labelled runs": _("no labelled runs"),
    "more than 5 % of the runs have no label": _("more than %(share)s of the runs have no label"),
    "not stopped as planned: the level is not guaranteed": _(
        "not stopped as planned: the level is not guaranteed"
    ),
}


def say(words: dict[str, Any], key: str) -> str:
    """The report's word for `key`; a key it does not know is printed as it is stored."""
    return str(words.get(key, key))
