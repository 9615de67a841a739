"""The drawing kit of all figures: escaped SVG elements, the paints and patterns, the frame with its text alternative.

Colours are presentation attributes, which a PDF renderer reads and which any class rule of a style sheet overrides:
static/css/figures.css gives every class its colour for light and dark pages. No style attribute, no style element:
a strict content security policy holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import partial
from html import escape

from django.utils.safestring import SafeString

WIDE = 680
NARROW = 340
FONT_SIZE = 14
SMALL = 12.5
FONT_FAMILY = "Casebook Sans, Source Sans 3, Helvetica, Arial, sans-serif"
# Rounded-up advances of the sans in em, by kind of letter: enough to cut and place text without a font at hand.
_SLIM, _BROAD = frozenset("fijlrtI.,;:'’!|()[]{}/- ·г"), frozenset("mwMW@%—…№ЖМФШЩЫЮжмфшщыю")

INK, SOFT, RULE, PAPER = "#211e1a", "#5c554b", "#dcd6ca", "#ffffff"
PAINTS: dict[str, dict[str, str]] = {
    "cb-fig-text": {"fill": INK},
    "cb-fig-soft": {"fill": SOFT},
    "cb-fig-grid": {"stroke": RULE, "stroke-width": "1"},
    "cb-fig-axis": {"stroke": SOFT, "stroke-width": "1"},
    "cb-fig-line": {"stroke": INK, "stroke-width": "2", "fill": "none"},
    "cb-fig-band": {"fill": "#dfe7ec"},
    "cb-fig-edge": {"stroke": "#46657b", "stroke-width": "1", "fill": "none"},
    "cb-fig-mark": {"stroke": "#8c2332", "stroke-width": "1.5", "stroke-dasharray": "5 3", "fill": "none"},
    "cb-fig-rubric": {"fill": "#8c2332"},
    "cb-fig-error": {"fill": "#8c2332", "stroke": "#8c2332"},
    "cb-fig-no_error": {"fill": "#c9d6df", "stroke": "#46657b"},
    "cb-fig-unclear": {"fill": "#f3e3bd", "stroke": "#745105"},
    "cb-fig-refused": {"fill": PAPER, "stroke": "#46657b"},
    "cb-fig-truncated": {"fill": PAPER, "stroke": SOFT},
    "cb-fig-failed": {"fill": PAPER, "stroke": SOFT},
    "cb-fig-hatch-light": {"stroke": PAPER, "stroke-width": "1.25"},
    "cb-fig-hatch-unclear": {"fill": "#745105"},
    "cb-fig-hatch-refused": {"stroke": "#46657b", "stroke-width": "1.25"},
    "cb-fig-hatch-soft": {"stroke": SOFT, "stroke-width": "1"},
}
# What Unicode calls controls, lone surrogates and non-characters has no place in XML; bidirectional controls could
# reorder the numbers beside them.
_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_FIGURE_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def clean_text(text: str) -> str:
    """Return text that is legal in XML and cannot change the reading direction, on one line."""
    return re.sub(r"[ \t\r\n]+", " ", _UNFIT.sub("", text)).strip(" ")


def cut_text(text: str, width: float, size: float = FONT_SIZE) -> str:
    """Return the text, or as much of it as fits the width (in units of the drawing) with an ellipsis."""
    text, used = clean_text(text), 0.0
    for place, letter in enumerate(text):
        used += _measure_letter(letter) * size
        # The ellipsis needs room too, unless this is the last letter.
        if used > width - (size if place + 1 < len(text) else 0):
            return text[:place].rstrip() + "…"
    return text


def wrap_text(text: str, width: float, size: float = FONT_SIZE) -> list[str]:
    """Return the text in lines that fit the width."""
    lines = [""]
    for word in clean_text(text).split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and measure_text(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def measure_text(text: str, size: float = FONT_SIZE) -> float:
    """Return about how wide the text will be, in units of the drawing."""
    return size * sum(map(_measure_letter, text))


def _measure_letter(letter: str) -> float:
    if letter in _SLIM:
        return 0.36
    if letter in _BROAD:
        return 0.85
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    return 0.63 if letter.isupper() else 0.54


def write_number(value: float) -> str:
    """Return a coordinate with at most two decimals, always the same way."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def draw_element(name: str, *parts: str, paint: str = "", **attributes: str | float | None) -> str:
    """Return one element; `paint` names a class of PAINTS, `parts` is markup already drawn (not text)."""
    pairs: dict[str, str | float | None] = {"class": paint, **PAINTS[paint]} if paint else {}
    pairs |= {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}
    written = "".join(
        f' {key}="{escape(value if isinstance(value, str) else write_number(value))}"'
        for key, value in pairs.items()
        if value is not None
    )
    content = "".join(parts)
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def draw_text(
    x: float, y: float, text: str, paint: str = "cb-fig-text", **attributes: str | float | None
) -> str:
    return draw_element("text", escape(clean_text(text)), paint=paint, x=x, y=y, **attributes)


def draw_paragraph(x: float, y: float, lines: Iterable[str], *, size: float = SMALL) -> str:
    """Draw lines of explanation below one another, the first on the baseline y."""
    return "".join(
        draw_text(x, y + size * 1.35 * row, line, "cb-fig-soft", font_size=size)
        for row, line in enumerate(lines)
    )


def draw_line(x1: float, y1: float, x2: float, y2: float, paint: str) -> str:
    return draw_element("line", paint=paint, x1=x1, y1=y1, x2=x2, y2=y2)


def draw_swatch(figure_id: str, outcome: str, *, x: float, y: float, width: float, height: float) -> str:
    """Draw a rectangle in the colour of an outcome with its pattern over it."""
    draw_box = partial(draw_element, "rect", x=x, y=y, width=max(width, 0), height=height)
    dash = "3 2" if outcome == "failed" else None
    base = draw_box(paint=f"cb-fig-{outcome}", stroke_width=1, stroke_dasharray=dash)
    if outcome in ("no_error", "failed"):
        return base
    return base + draw_box(fill=f"url(#{figure_id}-{outcome})")


def draw_patterns(figure_id: str) -> str:
    """Return the patterns that tell outcomes apart without colour."""
    marks = {
        "error": draw_element("path", paint="cb-fig-hatch-light", d="M-1.5 1.5l3-3M0 6l6-6M4.5 7.5l3-3"),
        "unclear": draw_element("circle", paint="cb-fig-hatch-unclear", cx=3, cy=3, r=1),
        "refused": draw_element("path", paint="cb-fig-hatch-refused", d="M3 -1V7"),
        "truncated": draw_element("path", paint="cb-fig-hatch-soft", d="M-1 3H7"),
    }
    patterns = (
        draw_element(
            "pattern", mark, id=f"{figure_id}-{name}", width=6, height=6, patternUnits="userSpaceOnUse"
        )
        for name, mark in marks.items()
    )
    return draw_element("defs", *patterns)


def draw_frame(
    parts: Iterable[str], *, figure_id: str, title: str, description: str, width: float, height: float
) -> SafeString:
    """Return the finished figure with its title and description as the text alternative."""
    if not _FIGURE_ID.fullmatch(figure_id):
        raise ValueError(f"figure_id must be a plain identifier, got {figure_id!r}")
    head = draw_element("title", escape(clean_text(title)), id=f"{figure_id}-title")
    head += draw_element("desc", escape(clean_text(description)), id=f"{figure_id}-desc")
    # Every string inside was escaped by draw_element or draw_text.
    return SafeString(
        draw_element(
            "svg",
            head,
            *parts,
            xmlns="http://www.w3.org/2000/svg",
            class_="cb-fig",
            role="img",
            aria_labelledby=f"{figure_id}-title {figure_id}-desc",
            viewBox=f"0 0 {write_number(width)} {write_number(height)}",
            width=width,
            height=height,
            font_family=FONT_FAMILY,
            font_size=FONT_SIZE,
        )
    )
