"""How reports, and pages that quote results, write numbers, shares, sizes and dates in their language."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from django.utils.dateformat import format as format_moment
from django.utils.translation import gettext, ngettext, pgettext

from casebook.figures import Labels, find_labels

DASH = "–"
LARGEST_E_VALUE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class NumberWriter:
    """Writes for one language; month names and words come from the active translation, which must be the same."""

    labels: Labels

    def write_count(self, count: int) -> str:
        return self.labels.format_number(count)

    def write_share(self, share: float | None) -> str:
        """A share in percent with one decimal, near 0 and 100 % with up to three; never rounded to 0 or 100."""
        return DASH if share is None else self.labels.format_percent(share)

    def write_exact(self, share: float | None) -> str:
        """A share as a fraction with four decimals, for tables."""
        return DASH if share is None else self.labels.format_number(share, 4)

    def write_level(self, level: float) -> str:
        """A round share, such as a confidence level, without idle zeros: 95%, 97.5%."""
        percent = round(level * 100, 6)
        digits = len(f"{percent:g}".partition(".")[2])
        return self.labels.format_percent(percent / 100, digits)

    def write_difference(self, difference: float | None, *, signed: bool = False) -> str:
        """A difference of shares in percentage points with one decimal, or as many as keep it apart from 0."""
        if difference is None:
            return DASH
        points = difference * 100
        digits = next((digits for digits in (1, 2, 3) if abs(points) >= 0.5 * 10.0**-digits), 4)
        written = self.labels.format_number(points, digits if points else 1)
        return f"+{written}" if signed and points > 0 else written

    def write_p(self, p_value: float | None) -> str:
        """A p-value with four decimals; a smaller one is bounded, never written as 0."""
        if p_value is None:
            return DASH
        small = 0.0001
        return f"<{self.write_decimal('0.0001')}" if p_value < small else self.write_exact(p_value)

    def write_stated_p(self, p_value: float) -> str:
        """A p-value as a sentence states it: "p = 0.0312" or "p < 0.0001"."""
        written = self.write_p(p_value)
        return f"p < {written[1:]}" if written.startswith("<") else f"p = {written}"

    def write_points(self, share: str) -> str:
        """A share as percentage points without a sign: "0.05" is 5."""
        return self.write_decimal(format((Decimal(share) * 100).normalize(), "f"))

    def write_decimal(self, text: str) -> str:
        """A plain decimal as the language writes it."""
        return text.replace("-", "−").replace(".", self.labels.decimal_mark)

    def write_e_value(self, log_e: float) -> str:
        """An e-value from its natural logarithm, never rounded up: 20, 20.4, under 0.1, over 1,000,000."""
        if log_e > math.log(LARGEST_E_VALUE):
            return gettext("over %(number)s") % {"number": self.write_count(LARGEST_E_VALUE)}
        tenths = math.floor(math.exp(log_e) * 10 * (1 + 1e-12))
        if not tenths:
            return gettext("under %(number)s") % {"number": self.labels.format_number(0.1, 1)}
        return self.labels.format_number(tenths / 10, 1 if tenths % 10 else 0)

    def write_amount(self, amount: str, currency: str) -> str:
        try:
            number = Decimal(amount)
        except InvalidOperation:
            return ""
        digits = 0 if number == number.to_integral_value() else 2
        labels = replace(
            self.labels, thousands_from=1_000
        )  # with kopecks a sum is grouped from four digits on
        return f"{labels.format_number(float(number), digits)} {currency}".strip()

    def write_size(self, size: int) -> str:
        if size < 1000:
            return ngettext("%(size)s byte", "%(size)s bytes", size) % {"size": self.write_count(size)}
        if size < 1_000_000:
            return gettext("%(size)s kB") % {"size": self.labels.format_number(size / 1000, 1)}
        return gettext("%(size)s MB") % {"size": self.labels.format_number(size / 1_000_000, 1)}

    def write_seconds(self, milliseconds: int) -> str:
        return self.labels.format_number(milliseconds / 1000, 2)

    def write_moment(self, text: str | None) -> str:
        """An RFC 3339 time as day and time of day in UTC."""
        moment = _read_moment(text)
        # Translators: Django's date format letters; E is the month in the form that follows a day.
        day = pgettext("format of day and time", "j E Y, H:i:s")
        return f"{format_moment(moment, day)} UTC" if moment else DASH

    def write_minute(self, moment: datetime) -> str:
        """A time as day, hour and minute in UTC, for sentences."""
        # Translators: Django's date format letters; E is the month in the form that follows a day.
        day = pgettext("format of day and time", "j E Y, H:i")
        return f"{format_moment(moment.astimezone(UTC), day)} UTC"

    def write_period(self, start: str | None, end: str | None) -> str:
        """From one time to another; on one day the day is written once."""
        first, last = _read_moment(start), _read_moment(end)
        if first is None or last is None or first.date() != last.date():
            return f"{self.write_moment(start)} – {self.write_moment(end)}"
        return f"{self.write_moment(start).removesuffix(' UTC')} – {last:%H:%M:%S} UTC"


def number_writer(language: str) -> NumberWriter:
    return NumberWriter(labels=find_labels(language))


def _read_moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
