"""How reports, and pages that quote results, write numbers, shares, sizes and dates in their language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from django.utils.dateformat import format as format_moment
from django.utils.translation import gettext, ngettext, pgettext

from casebook.figures import Labels, find_labels

DASH = "–"


@dataclass(frozen=True, kw_only=True)
class NumberWriter:
    """Writes for one language; month names and words come from the active translation, which must be the same."""

    labels: Labels

    def write_count(self, count: int) -> str:
        return self.labels.format_number(count)

    def write_share(self, share: float | None) -> str:
        """A share in percent with one decimal, near 0 and 100 % with up to three; never rounded to 0 or 100."""
        return DASH if share is None else self.labels.format_percent(share, _digits(share))

    def write_exact(self, share: float | None) -> str:
        """A share as a fraction with four decimals, for tables."""
        return DASH if share is None else self.labels.format_number(share, 4)

    def write_level(self, level: float) -> str:
        """A round share, such as a confidence level, without idle zeros: 95%, 97.5%."""
        percent = round(level * 100, 6)
        digits = len(f"{percent:g}".partition(".")[2])
        return self.labels.format_percent(percent / 100, digits)

    def write_points(self, share: str) -> str:
        """A share as percentage points without a sign: "0.05" is 5."""
        return self.write_decimal(format((Decimal(share) * 100).normalize(), "f"))

    def write_decimal(self, text: str) -> str:
        """A plain decimal as the language writes it."""
        return text.replace("-", "−").replace(".", self.labels.decimal_mark)

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


def _digits(share: float) -> int:
    """One decimal; near the edges as many, up to four, as keep the share apart from 0 and 100 %."""
    edge = min(share, 1 - share)
    if edge >= 0.01 or edge == 0:
        return 1
    return next((digits for digits in (2, 3) if edge * 100 >= 0.5 * 10.0**-digits), 4)


def _read_moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
