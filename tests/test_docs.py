"""The documentation is true: links lead somewhere, every part has its heading, examples and tables come out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import gettext

from ensemble.backends import BACKENDS, open_backend
from ensemble.backends.base import EndpointConfig
from ensemble.detectors import DETECTORS, build_detector
from ensemble.detectors.numerals import find_numbers, make_plain
from ensemble.detectors.refusal import DEFAULT_REFUSAL_PHRASES, is_refusal
from ensemble.stats.designs import OFFERED_PLANS
from ensemble.stats.proportion import clopper_pearson

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
DETECTORS_PAGE, ENDPOINTS_PAGE, GUIDE = (
    (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("detectors", "endpoints", "user-guide")
)
RUSSIAN_GUIDE = (DOCS / "user-guide.ru.md").read_text(encoding="utf-8")
BUTTONS = (
    *(
        "Copy to my cases",
        "Plan a test",
        "Save and try",
        "Lock and run",
        "Make the PDF report",
        "Log an incident",
    ),
    *("Show how it is read", "Save and try the detector", "Pause", "Resume", "Cancel the test", "All runs"),
    "Request the report",
)
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^()\s]+)\)")
BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
EXAMPLE = re.compile(r"^```json\n([^`]*)^```\n((?:^\|.*\n)+)", re.MULTILINE)


def find_links() -> Iterator[tuple[Path, str]]:
    """The links of all pages that stay within the project."""
    for page in PAGES:
        for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8"))):
            if not re.match("[a-z]+:", target):
                yield page, target


def find_headings(text: str) -> list[str]:
    return re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.MULTILINE)


def make_anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def read_rows(table: str) -> list[list[str]]:
    """The rows of a table below its header, as cells."""
    rows = [re.split(r"(?<!\\)\|", line.strip()[1:-1]) for line in table.splitlines()]
    return [[cell.strip().replace("\\|", "|") for cell in row] for row in rows[2:]]


def find_rows(text: str, first_header: str) -> list[list[str]]:
    """The rows of the one table whose header begins with this cell."""
    found = [table for table in TABLE.findall(text) if table.startswith(f"| {first_header} |")]
    assert len(found) == 1
    return read_rows(found[0])


def find_quoted(cell: str) -> list[str]:
    return re.findall("`([^`]*)`", cell)


LINKS = list(find_links())
EXAMPLES = [
    (json.loads(spec), *row) for spec, table in EXAMPLE.findall(DETECTORS_PAGE) for row in read_rows(table)
]


def test_the_russian_guide_has_every_part_of_the_english_one() -> None:
    def outline(text: str) -> list[tuple[str, int]]:
        """Kinds of the blocks in order, a table with its number of rows and a list with that of its points."""
        lines = BLOCK.sub("", text).splitlines()
        kinds = [re.match(r"#+ |\||\* |    ", line) for line in lines]
        return [(kind, len(list(group))) for kind, group in groupby(match[0] for match in kinds if match)]

    assert outline(RUSSIAN_GUIDE) == outline(GUIDE)


def test_the_tables_of_both_guides_have_the_same_numbers() -> None:
    for english, russian in (("precision", "точность"), ("runs", "прогонов")):
        rows = find_rows(RUSSIAN_GUIDE, russian)
        text = "\n".join("\t".join(row) for row in rows)
        plain = text.replace("п. п. при", "points at").replace(",", ".").replace(" %", "%")
        assert [row.split("\t") for row in plain.split("\n")] == find_rows(GUIDE, english)


@pytest.mark.parametrize("guide", ["en", "ru"])
def test_the_buttons_that_a_guide_names_are_those_of_the_pages(guide: str) -> None:
    with translation.override(guide):
        for button in BUTTONS:
            assert f"*{gettext(button)}" in (GUIDE if guide == "en" else RUSSIAN_GUIDE)


@pytest.mark.parametrize(("page", "target"), LINKS, ids=[f"{page.name}: {target}" for page, target in LINKS])
def test_a_link_leads_to_a_file_and_heading_that_exist(page: Path, target: str) -> None:
    name, _, anchor = target.partition("#")
    file = (page.parent / name).resolve() if name else page
    assert file.is_relative_to(ROOT)
    assert file.exists()
    if anchor:
        assert anchor in map(make_anchor, find_headings(file.read_text(encoding="utf-8")))


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, new = set(), {ROOT / "README.md"}
    while new:
        reached |= new
        links = {(page.parent / target.partition("#")[0]).resolve() for page, target in LINKS if page in new}
        new = {page for page in PAGES if page in links or page.parent in links} - reached
    assert reached == set(PAGES)


def test_every_backend_has_its_heading() -> None:
    assert set(find_headings(ENDPOINTS_PAGE)) >= set(BACKENDS)


def test_every_detector_has_its_heading() -> None:
    assert set(find_headings(DETECTORS_PAGE)) >= {*DETECTORS, "Refusals"}


@pytest.mark.parametrize(
    ("spec", "answer", "label", "reason"), EXAMPLES, ids=[example[1] for example in EXAMPLES]
)
def test_an_example_of_a_detector_is_what_the_detector_says(
    spec: dict[str, str], answer: str, label: str, reason: str
) -> None:
    (text,) = find_quoted(answer)
    finding = build_detector(spec).detect(text, truncated=answer.endswith("(cut off)"))
    assert (finding.label, finding.reason) == (label, reason)


def test_there_are_examples_of_every_detector_and_label() -> None:
    shown = {(spec["kind"], label) for spec, _, label, _ in EXAMPLES}
    assert shown == {(kind, label) for kind in DETECTORS for label in ("error", "no error", "unclear")}


def test_what_is_read_as_a_number_is_what_the_page_says() -> None:
    for written, read in find_rows(DETECTORS_PAGE, "written"):
        wanted = [] if read == "nothing" else [Decimal(number) for number in read.split(" and ")]
        for text in find_quoted(written):
            assert [number.value for number in find_numbers(make_plain(text))] == wanted, text


def test_the_examples_of_refusals_are_what_the_page_says() -> None:
    for answer, refusal in find_rows(DETECTORS_PAGE, "answer | refusal"):
        (text,) = find_quoted(answer)
        assert is_refusal(text, DEFAULT_REFUSAL_PHRASES) == (refusal == "yes"), answer
    assert f"begins with {len(DEFAULT_REFUSAL_PHRASES)} English and Russian" in DETECTORS_PAGE


def test_the_scripts_shown_can_be_played() -> None:
    scripts = re.findall(r"^```json\n([^`]*)^```$", ENDPOINTS_PAGE, re.MULTILINE)
    assert scripts
    for script in scripts:
        config = EndpointConfig(name="shown", backend="scripted", options=json.loads(script))
        open_backend(config).close()


def test_the_expected_runs_are_those_of_the_plans_on_offer() -> None:
    rows = find_rows(GUIDE, "precision")
    assert len(rows) == len(OFFERED_PLANS)
    for row, plan in zip(rows, OFFERED_PLANS, strict=True):
        name = f"±{plan.half_width * 100:g} points at {plan.level * 100:g}%"
        expected = [f"{plan.expected_runs(share):.0f}" for share in (0.0, 0.05, 0.1, 0.3, 0.5)]
        assert row == [name, *expected, str(plan.max_runs)]


def test_the_intervals_of_fixed_numbers_are_exact() -> None:
    for runs, *cells in find_rows(GUIDE, "runs"):
        total = int(runs)
        for cell, errors in zip(cells, (0, total // 10, total // 2), strict=True):
            interval = clopper_pearson(errors, total)
            assert cell == f"{interval.low * 100:.1f}–{interval.high * 100:.1f}%"
