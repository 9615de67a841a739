"""The figure of many uses: legal SVG, the number in question marked, at both widths and any size."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from casebook.figures import ENGLISH, NARROW, WIDE
from casebook.figures.exposure import ExposureFigure, draw_exposure

SVG = "{http://www.w3.org/2000/svg}"


def draw(mark: int, last: float, width: float = WIDE) -> ElementTree.Element:
    figure = ExposureFigure(
        figure_id="uses",
        labels=ENGLISH,
        uses=[1.0, last],
        chance=[0.1, 0.9],
        low=[0.0, 0.5],
        high=[0.3, 1.0],
        mark=mark,
        description="In words.",
        width=width,
    )
    return ElementTree.fromstring(draw_exposure(figure))


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize(("mark", "last"), [(1, 100.0), (1000, 10_000.0), (10**9, 1e10)])
def test_everything_lies_inside_the_frame(mark: int, last: float, width: float) -> None:
    svg = draw(mark, last, width)
    for text in svg.iter(f"{SVG}text"):
        assert 0 <= float(text.get("x", "0")) <= width
    line = next(line for line in svg.iter(f"{SVG}line") if line.get("class") == "cb-fig-mark")
    assert 0 <= float(line.get("x1", "-1")) <= width


def test_the_mark_stands_where_its_number_is_on_the_logarithmic_axis() -> None:
    svg = draw(100, 10_000.0)
    place = {text.text: float(text.get("x", "0")) for text in svg.iter(f"{SVG}text")}
    assert place["100"] == pytest.approx((place["1"] + place["10,000"]) / 2, abs=0.01)
    assert place["100 uses"] == pytest.approx(place["100"], abs=0.01)


def test_the_figure_has_a_text_alternative_and_no_style() -> None:
    svg = draw(10, 100.0)
    assert svg.find(f"{SVG}desc") is not None
    assert not re.search(r"style=|<style", ElementTree.tostring(svg, encoding="unicode"))


def test_arrays_of_different_lengths_are_refused() -> None:
    figure = ExposureFigure(
        figure_id="uses", labels=ENGLISH, uses=[1, 10], chance=[0.1], low=[0, 0], high=[1, 1], mark=2
    )
    with pytest.raises(ValueError, match="same length"):
        draw_exposure(figure)
