"""How numbers are written inside a figure, in the language of the page or report."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext, gettext_lazy

NO_BREAK_SPACE = "\u00a0"
NARROW_NO_BREAK_SPACE = "\u202f"
OUTCOMES = ("error", "no_error", "unclear", "refused", "truncated", "failed")
OUTCOME_NAMES = {
    "error": gettext_lazy("error"),
    "no_error": gettext_lazy("no error"),
    "unclear": gettext_lazy("unclear"),
    "refused": gettext_lazy("refused"),
    "truncated": gettext_lazy("truncated, no label"),
    "failed": gettext_lazy("failed"),
}


@dataclass(frozen=True, kw_only=True)
class Labels:
    """The marks of one language: decimal mark, thousands mark, percent sign with the space before it."""

    decimal_mark: str
    thousands_mark: str
    percent_sign: str
    thousands_from: int = 1_000

    def format_number(self, value: float, digits: int = 0) -> str:
        """Return the number with a fixed count of decimals, grouped by thousands."""
        whole, _, decimals = f"{abs(value):.{digits}f}".partition(".")
        if int(whole) >= self.thousands_from:
            whole = f"{int(whole):,}".replace(",", self.thousands_mark)
        sign = "−" if value < 0 and float(f"{value:.{digits}f}") != 0 else ""
        return sign + whole + (self.decimal_mark + decimals if decimals else "")

    def format_percent(self, share: float, digits: int | None = None) -> str:
        """Return a share (0–1) in percent; a share that is not 0 or 1 is never rounded to look like it.

        With one decimal unless told otherwise, near 0 and 100 % with up to four.
        """
        return self._write_percent(share, digits) + self.percent_sign

    def format_range(self, low: float, high: float, digits: int | None = None) -> str:
        """Return two shares as "27.6–47.2%": the sign once, an en dash without spaces."""
        return f"{self._write_percent(low, digits)}–{self._write_percent(high, digits)}{self.percent_sign}"

    def _write_percent(self, share: float, digits: int | None) -> str:
        if share in (0, 1):
            return self.format_number(share * 100)
        digits = _count_decimals(share) if digits is None else digits
        step = 10.0**-digits
        if 0 < share * 100 < step / 2:
            return "<" + self.format_number(step, digits)
        if 100 - step / 2 < share * 100 < 100:
            return ">" + self.format_number(100 - step, digits)
        return self.format_number(share * 100, digits)


def _count_decimals(share: float) -> int:
    """One; near the edges as many, up to four, as keep the share apart from 0 and 100 %."""
    edge = min(share, 1 - share)
    if edge >= 0.01:
        return 1
    return next((digits for digits in (2, 3) if edge * 100 >= 0.5 * 10.0**-digits), 4)


ENGLISH = Labels(decimal_mark=".", thousands_mark=",", percent_sign="%")
# Russian typography groups digits from five on and sets the percent sign off.
RUSSIAN = Labels(
    decimal_mark=",",
    thousands_mark=NARROW_NO_BREAK_SPACE,
    percent_sign=NO_BREAK_SPACE + "%",
    thousands_from=10_000,
)


def find_labels(language: str) -> Labels:
    """Return the marks for a language code such as "en" or "ru-ru"."""
    return RUSSIAN if language.lower().startswith("ru") else ENGLISH


def describe_interval(labels: Labels, label: str, estimate: float | None, low: float, high: float) -> str:
    """Return one interval as a plain sentence for the text alternative of a figure."""
    facts = {"label": label, "low": labels.format_percent(low), "high": labels.format_percent(high)}
    if estimate is None:
        return gettext("%(label)s: no rate yet.") % facts
    facts["rate"] = labels.format_percent(estimate)
    return gettext("%(label)s: %(rate)s, interval from %(low)s to %(high)s.") % facts
