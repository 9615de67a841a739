from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from django.utils import translation
from django.utils.safestring import SafeString

from casebook import figures
from casebook.figures import ENGLISH, RUSSIAN
from casebook.figures.sequence import MOST_POINTS, thin_indexes
from casebook.figures.svg import PAINTS, cut_text, measure_text, write_number

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</text><script>alert(1)</script> \"quoted\" & 'x' \x00\x1b \ud800 \u202eevil\u2066 {brace} %s"
NUMBERS = tuple(range(1, 501))

INTERVAL = figures.IntervalFigure(
    figure_id="interval",
    labels=ENGLISH,
    rows=(
        figures.IntervalRow(
            label="Verbatim", estimate=0.37, low=0.27557, high=0.47235, band=(0.2, 0.6), note="37 of 100"
        ),
        figures.IntervalRow(label="Control", estimate=None, low=0, high=1),
    ),
)
SEQUENCE = figures.SequenceFigure(
    figure_id="sequence",
    labels=ENGLISH,
    runs=NUMBERS,
    rate=[0.3] * 500,
    low=[0.3 - 0.3 / n for n in NUMBERS],
    high=[0.3 + 0.7 / n for n in NUMBERS],
    stopped_at=500,
    planned=(0.2612, 0.3412),
)
OUTCOMES = figures.OutcomesFigure(
    figure_id="outcomes",
    labels=ENGLISH,
    error=137,
    no_error=2010,
    unclear=18,
    refused=25,
    truncated=9,
    failed=3,
)
GROUPS = figures.GroupsFigure(
    figure_id="groups",
    labels=ENGLISH,
    groups=(
        figures.AnswerGroup(text="Within 90 days. " * 40, count=60, label="error"),
        figures.AnswerGroup(text="Before travel.", count=30, label="no_error"),
        figures.AnswerGroup(text="", count=5, label="unclear"),
    ),
    total=100,
)
EXPECTED = figures.ExpectedRunsFigure(
    figure_id="expected",
    labels=ENGLISH,
    rows=(figures.ExpectedRuns(share=0, runs=38), figures.ExpectedRuns(share=0.5, runs=446.4)),
    fixed_runs=402,
)
FOREST = figures.ForestFigure(
    figure_id="forest",
    labels=ENGLISH,
    title="Error rates",
    rows=(
        figures.ForestRow(label=f"1. paraphrase {HOSTILE}", estimate=0.37, low=0.27557, high=0.47235),
        figures.ForestRow(label="2. paraphrase", estimate=1, low=0.83, high=1),
        figures.ForestRow(label="mean", estimate=0.7, low=0.4, high=0.9, is_summary=True),
        figures.ForestRow(label="another", estimate=None, low=0, high=0.9996, is_summary=True),
    ),
)
ALL: list[tuple[Callable[[Any], SafeString], Any]] = [
    (figures.draw_interval, INTERVAL),
    (figures.draw_sequence, SEQUENCE),
    (figures.draw_outcomes, OUTCOMES),
    (figures.draw_groups, GROUPS),
    (figures.draw_expected_runs, EXPECTED),
    (figures.draw_forest, FOREST),
]
every_figure = pytest.mark.parametrize(("draw", "figure"), ALL, ids=[figure.figure_id for _, figure in ALL])


def read_texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def read_one(svg: str, tag: str) -> str:
    found = ElementTree.fromstring(svg).find(f"{SVG}{tag}")
    assert found is not None
    return found.text or ""


@every_figure
def test_a_figure_is_well_formed_and_carries_its_text_alternative(draw: Any, figure: Any) -> None:
    svg = draw(figure)
    root = ElementTree.fromstring(svg)
    named = [root.find(f"{SVG}title"), root.find(f"{SVG}desc")]
    assert root.get("role") == "img"
    assert [part.get("id") for part in named if part is not None and part.text] == (
        root.get("aria-labelledby", "").split()
    )
    assert isinstance(svg, SafeString)


@every_figure
def test_a_figure_has_no_inline_style_and_no_script(draw: Any, figure: Any) -> None:
    for element in ElementTree.fromstring(draw(figure)).iter():
        assert element.tag not in (f"{SVG}style", f"{SVG}script")
        assert not [name for name in element.keys() if name == "style" or name.startswith("on")]  # noqa: SIM118


@every_figure
def test_the_same_input_gives_the_same_bytes(draw: Any, figure: Any) -> None:
    assert draw(figure) == draw(replace(figure))


@every_figure
def test_ids_are_unique_and_every_reference_inside_a_figure_is_met(draw: Any, figure: Any) -> None:
    svg = figures.draw_both_widths(draw, figure)
    page = ElementTree.fromstring(f"<div>{svg}</div>")
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    wanted = [fill[5:-1] for element in page.iter() if (fill := element.get("fill", "")).startswith("url(")]
    assert len(ids) == len(set(ids))
    assert set(wanted) <= set(ids)


@every_figure
def test_every_class_is_a_known_paint_with_its_fallback_attributes(draw: Any, figure: Any) -> None:
    for element in ElementTree.fromstring(draw(figure)).iter():
        name = element.get("class", "cb-fig")
        assert name == "cb-fig" or all(element.get(key) is not None for key in PAINTS[name])


@every_figure
@pytest.mark.parametrize("width", [figures.NARROW, figures.WIDE])
def test_nothing_is_drawn_outside_the_figure(draw: Any, figure: Any, width: float) -> None:
    root = ElementTree.fromstring(draw(replace(figure, width=width)))
    height = float(root.get("height", "0"))
    for element in root.iter():
        if element.tag in (f"{SVG}text", f"{SVG}rect") and element.get("x"):
            left, right = find_extent(element)
            assert left >= -1, element.attrib
            assert right <= width + 1, (element.text, element.attrib)
            assert 0 <= float(element.get("y", "0")) <= height


def find_extent(element: ElementTree.Element) -> tuple[float, float]:
    x = float(element.get("x", "0"))
    if element.tag == f"{SVG}rect":
        return x, x + float(element.get("width", "0"))
    # Bold or not, real text is narrower than the cautious measure.
    wide = measure_text(element.text or "", float(element.get("font-size", "14"))) * 0.85
    before = {"end": 1.0, "middle": 0.5}.get(element.get("text-anchor", "start"), 0.0) * wide
    return x - before, x - before + wide


@pytest.mark.parametrize(
    ("draw", "figure"),
    [
        (
            figures.draw_interval,
            replace(INTERVAL, title=HOSTILE, rows=(replace(INTERVAL.rows[0], label=HOSTILE, note=HOSTILE),)),
        ),
        (figures.draw_sequence, replace(SEQUENCE, title=HOSTILE, description=HOSTILE)),
        (figures.draw_groups, replace(GROUPS, groups=(replace(GROUPS.groups[0], text=HOSTILE),))),
    ],
)
def test_hostile_labels_stay_text(draw: Any, figure: Any) -> None:
    svg = draw(figure)
    svg.encode()  # no lone surrogate is left
    tags = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(svg).iter()}
    assert "script" not in tags
    assert "alert(1)" in "".join(ElementTree.fromstring(svg).itertext())
    assert not set("\x00\x1b\u202e\u2066") & set(svg)


def test_the_interval_figure_shows_its_numbers() -> None:
    texts = read_texts(figures.draw_interval(INTERVAL))
    assert "37.0% (27.6–47.2%)" in texts
    assert "Verbatim · 37 of 100" in texts
    assert "no rate yet" in texts
    assert any("worst case" in text for text in texts)


def test_without_a_band_there_is_no_legend_for_it() -> None:
    svg = figures.draw_interval(replace(INTERVAL, rows=(replace(INTERVAL.rows[0], band=None),)))
    assert "worst case" not in svg


def test_whiskers_stand_where_the_shares_are() -> None:
    rows = (figures.IntervalRow(label="a", estimate=0.5, low=0.0, high=1.0),)
    root = ElementTree.fromstring(figures.draw_interval(replace(INTERVAL, rows=rows, width=414)))
    line = next(e for e in root.iter(f"{SVG}line") if e.get("class") == "cb-fig-line")
    point = next(root.iter(f"{SVG}circle"))
    assert (line.get("x1"), line.get("x2"), point.get("cx")) == ("7", "407", "207")


def test_the_sequence_figure_shows_stop_and_planned_interval() -> None:
    texts = read_texts(figures.draw_sequence(SEQUENCE))
    assert "stopped after 500 labelled runs" in texts
    assert "labelled runs, in seed order" in texts
    assert {"26.1%", "34.1%", "planned"} <= set(texts)
    assert "After 500 labelled runs the rate is 30.0%" in read_one(figures.draw_sequence(SEQUENCE), "desc")


def test_a_long_sequence_is_thinned_and_keeps_both_ends() -> None:
    shown = thin_indexes(100_000)
    assert len(shown) == len(set(shown)) == MOST_POINTS
    assert (shown[0], shown[-1]) == (0, 99_999)
    assert thin_indexes(MOST_POINTS) == list(range(MOST_POINTS))
    numbers = range(1, 100_001)
    long = replace(SEQUENCE, runs=numbers, rate=[0.1] * 100_000, low=[0.0] * 100_000, high=[0.2] * 100_000)
    assert len(figures.draw_sequence(replace(long, stopped_at=None))) < 40_000


def test_an_empty_sequence_says_so() -> None:
    empty = replace(SEQUENCE, runs=(), rate=(), low=(), high=(), stopped_at=None, planned=None)
    assert read_one(figures.draw_sequence(empty), "desc") == "No run has a label yet."


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="same length"):
        figures.draw_sequence(replace(SEQUENCE, rate=[0.3]))


def test_the_outcomes_figure_lists_every_count_even_none() -> None:
    texts = read_texts(figures.draw_outcomes(replace(OUTCOMES, refused=0)))
    assert "error: 137 (6.3%)" in texts
    assert "no error: 2,010 (92.3%)" in texts
    assert "refused: 0" in texts


def test_the_widths_of_the_outcomes_follow_their_counts() -> None:
    figure = figures.OutcomesFigure(figure_id="o", labels=ENGLISH, error=100, no_error=300)
    root = ElementTree.fromstring(figures.draw_outcomes(figure))
    bars = [e for e in root.iter(f"{SVG}rect") if e.get("height") == "30" and e.get("class")]
    widths = {bar.get("class"): float(bar.get("width", "0")) for bar in bars}
    assert widths["cb-fig-no_error"] == pytest.approx(3 * widths["cb-fig-error"], abs=0.05)


def test_no_runs_give_an_empty_bar() -> None:
    figure = figures.OutcomesFigure(figure_id="o", labels=ENGLISH, error=0, no_error=0)
    assert read_one(figures.draw_outcomes(figure), "desc").startswith("Of 0 runs")


def test_a_long_answer_is_cut_and_kept_whole_in_its_title() -> None:
    root = ElementTree.fromstring(figures.draw_groups(GROUPS))
    group = root.find(f"{SVG}g")
    assert group is not None
    assert (group.findtext(f"{SVG}title") or "").count("Within 90 days.") > 20
    assert (group.findtext(f"{SVG}text") or "").endswith("…")


def test_groups_tell_errors_by_word_and_pattern() -> None:
    svg = figures.draw_groups(GROUPS)
    assert {"error", "no error", "unclear", "60 · 60.0%", "(empty answer)"} <= set(read_texts(svg))
    assert 'fill="url(#groups-error)"' in svg
    assert "and 5 more answers in further groups" in read_texts(svg)


def test_answers_that_are_not_drawn_are_said_to_be_single_when_every_one_is() -> None:
    drawn = len(GROUPS.groups)
    single = read_texts(figures.draw_groups(replace(GROUPS, groups_total=drawn + 5)))
    assert "and 5 more answers, each given once" in single
    grouped = read_texts(figures.draw_groups(replace(GROUPS, groups_total=drawn + 4)))
    assert "and 5 more answers in further groups" in grouped
    one = replace(GROUPS, total=GROUPS.total - 4, groups_total=drawn + 1)
    assert "and 1 more answer, given once" in read_texts(figures.draw_groups(one))


def test_the_full_width_of_a_group_is_all_answers() -> None:
    groups = (replace(GROUPS.groups[1], count=12), replace(GROUPS.groups[2], count=1))
    root = ElementTree.fromstring(figures.draw_groups(replace(GROUPS, groups=groups, total=1000)))
    bars = [read_widest_bar(group) for group in root.findall(f"{SVG}g")]
    assert bars == [pytest.approx((GROUPS.width - 2) * 0.012, abs=0.01), 2]


def read_widest_bar(group: ElementTree.Element) -> float:
    return max(float(bar.get("width", 0)) for bar in group.iter(f"{SVG}rect"))


def test_expected_runs_are_numbers_beside_their_bars() -> None:
    texts = read_texts(figures.draw_expected_runs(EXPECTED))
    assert {"0%", "38", "50%", "446", "a fixed number: 402"} <= set(texts)


def test_russian_numbers_have_a_comma_and_a_space_before_the_percent_sign() -> None:
    with translation.override("ru"):
        rows = (replace(INTERVAL.rows[0], label="Дословный запрос", note="37 из 100"),)
        texts = read_texts(figures.draw_interval(replace(INTERVAL, labels=RUSSIAN, rows=rows)))
    assert "37,0\u00a0% (27,6–47,2\u00a0%)" in texts
    assert "Дословный запрос · 37 из 100" in texts


@pytest.mark.parametrize(
    ("share", "english", "russian"),
    [
        (0, "0%", "0\u00a0%"),
        (1, "100%", "100\u00a0%"),
        (0.0025, "0.25%", "0,25\u00a0%"),  # as in the table beside a figure
        (0.00001, "0.001%", "0,001\u00a0%"),
        (0.99999, "99.999%", "99,999\u00a0%"),
        (1e-9, "<0.0001%", "<0,0001\u00a0%"),
        (0.5, "50.0%", "50,0\u00a0%"),
        (0.0362, "3.6%", "3,6\u00a0%"),
    ],
)
def test_a_share_is_never_rounded_to_certainty(share: float, english: str, russian: str) -> None:
    assert ENGLISH.format_percent(share) == english
    assert RUSSIAN.format_percent(share) == russian


def test_thousands_are_grouped_as_each_language_does() -> None:
    assert (ENGLISH.format_number(1234), ENGLISH.format_number(1234567.891, 2)) == ("1,234", "1,234,567.89")
    assert (RUSSIAN.format_number(1234), RUSSIAN.format_number(12345)) == ("1234", "12\u202f345")
    assert (ENGLISH.format_number(-1.5, 1), ENGLISH.format_number(-0.01, 1)) == ("−1.5", "0.0")


def test_the_language_chooses_the_labels() -> None:
    assert figures.find_labels("ru-ru") is RUSSIAN
    assert figures.find_labels("en-gb") is ENGLISH


def test_coordinates_are_written_one_way() -> None:
    assert [write_number(v) for v in (1.0, 0.126, -0.001, 10)] == ["1", "0.13", "0", "10"]


@pytest.mark.parametrize("text", ["wide words", "Широкие слова", "漢字漢字漢字漢字", "iiiiiiii", "x" * 1_000])
def test_cut_text_fits_the_room_it_was_given(text: str) -> None:
    assert measure_text(cut_text(text, 80)) <= 80 + 14
    assert cut_text(text, 100_000) == text


def test_a_figure_id_is_a_plain_identifier() -> None:
    with pytest.raises(ValueError, match="figure_id"):
        figures.draw_interval(replace(INTERVAL, figure_id='x" onload="alert(1)'))
