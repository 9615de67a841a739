"""What each kind of arm is for, in one sentence, and which objection of the other side it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ensemble.protocol import Purpose


@dataclass(frozen=True, kw_only=True)
class PurposeWords:
    """`use` is a sentence; `objection` is what the other side says, in its words, and empty where it is plain."""

    title: Any
    use: Any
    objection: Any = ""


PURPOSES: dict[Purpose, PurposeWords] = {
    Purpose.PRIMARY: PurposeWords(
        title=pgettext_lazy("kind of arm", "Primary arm"),
        use=_("The disputed prompt, word for word: what page 1 of the report says is its result."),
    ),
    Purpose.TEMPERATURE: PurposeWords(
        title=pgettext_lazy("kind of arm", "Other temperature"),
        use=_("The disputed prompt at another temperature: whether the error depends on that setting."),
        objection=_("The setting was chosen so that it fails."),
    ),
    Purpose.ENDPOINT: PurposeWords(
        title=pgettext_lazy("kind of arm", "Other endpoint"),
        use=_("The disputed prompt sent to another model, or to the same one by another way."),
        objection=_("What was tested is not the version or the channel that the user had."),
    ),
    Purpose.ORDINARY_USE: PurposeWords(
        title=pgettext_lazy("kind of arm", "Ordinary use"),
        use=_("The question as an ordinary user would put it, without anything leading or unusual."),
        objection=_("The error was provoked by the way the question was put."),
    ),
    Purpose.BEFORE_NOTICE: PurposeWords(
        title=pgettext_lazy("kind of arm", "Before notice"),
        use=_("The system as it was set up before its provider was told of the error."),
        objection=_("What was measured is today’s system, not the one that the user had."),
    ),
    Purpose.AFTER_NOTICE: PurposeWords(
        title=pgettext_lazy("kind of arm", "After notice"),
        use=_(
            "The system as it was set up after the notice, or as it could have been: whether that would have helped."
        ),
        objection=_("Nothing could have been done about it."),
    ),
    Purpose.DISCLAIMER: PurposeWords(
        title=pgettext_lazy("kind of arm", "Disclaimer in place"),
        use=_(
            "The disputed prompt with the disclaimer in the system prompt: whether the error is still made."
        ),
        objection=_("With our disclaimer in place this would not have happened."),
    ),
    Purpose.IRRELEVANT_NAME: PurposeWords(
        title=pgettext_lazy("kind of arm", "Irrelevant name"),
        use=_(
            "The same question about a name that has nothing to do with the case: whether the error hangs on the name."
        ),
        objection=_("It says such things of anybody; that is not about this person."),
    ),
    Purpose.CONTROL: PurposeWords(
        title=pgettext_lazy("kind of arm", "Control with a known true answer"),
        use=_(
            "Another question, whose true answer is known: whether the model answers rightly when it should."
        ),
        objection=_("In this set-up the model gets everything wrong."),
    ),
    Purpose.PARAPHRASE: PurposeWords(
        title=pgettext_lazy("kind of arm", "Paraphrase"),
        use=_(
            "The same question in other words. Several show how far the error depends on the wording; from five on "
            "they get an interval of their own."
        ),
        objection=_("Only this one wording brings the error about."),
    ),
    Purpose.DAY: PurposeWords(
        title=pgettext_lazy("kind of arm", "Repeat on another day"),
        use=_(
            "The disputed prompt again on another day, the primary arm being day 1. With five days in all there is an "
            "interval over days."
        ),
        objection=_("That was a bad day, put right since."),
    ),
}
