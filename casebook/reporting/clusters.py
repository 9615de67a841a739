"""Paraphrases and days as clusters, as pages and reports print them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext

from casebook.figures import ForestFigure, ForestRow, draw_forest
from casebook.neutral_names import say_arm
from casebook.report_numbers import NumberWriter
from casebook.reporting.claims import write_counts
from casebook.reporting.drawings import Render, draw_once
from casebook.reporting.words import METHODS, say
from casebook.sentences import write_sentence

Document = Mapping[str, Any]

PURPOSES = {"paraphrases": "paraphrase", "days": "day"}


@dataclass(frozen=True, kw_only=True)
class ClusterLine:
    number: int
    name: str
    began: str  # empty for paraphrases, which are not told apart by time
    counts: str
    share: str
    low: str
    high: str
    level: str
    method: str


@dataclass(frozen=True, kw_only=True)
class ClustersView:
    """`kind` is "paraphrases" or "days". The last lines of `lines` may be the mean and a new cluster, `number` 0."""

    kind: str
    title: str
    sentences: tuple[str, ...]
    lines: tuple[ClusterLine, ...]
    intraclass: str  # how alike runs of one cluster are; empty where it cannot be estimated
    figure: SafeString


def build_clusters(
    result: Document, numbers: NumberWriter, render: Render = draw_once
) -> tuple[ClustersView, ...]:
    """The views of the result's `clusters`; none in results sealed before there were any."""
    found: Mapping[str, Document | None] = result.get("clusters") or {}
    names = {arm["position"]: say_arm(arm["name"]) for arm in result["arms"]}
    return tuple(
        _view_clusters(kind, document, names, numbers, render)
        for kind in PURPOSES
        if (document := found.get(kind)) is not None
    )


def is_in_clusters(arm: Document) -> bool:
    """Whether the clusters show the arm, so that it needs no part of its own."""
    return arm["purpose"] in PURPOSES.values() and bool(arm["runs"]) and not arm["deterministic"]


def _view_clusters(
    kind: str, document: Document, names: Mapping[int, str], numbers: NumberWriter, render: Render
) -> ClustersView:
    titles = {
        "paraphrases": gettext("The same question in other words"),
        "days": gettext("The same prompt on other days"),
    }
    intraclass = document["intraclass"]
    return ClustersView(
        kind=kind,
        title=titles[kind],
        sentences=_write_clusters(kind, document, numbers),
        lines=_list_lines(kind, document, names, numbers),
        intraclass="" if intraclass is None else numbers.write_decimal(f"{intraclass:.2f}"),
        figure=_draw_clusters(kind, document, names, numbers, render),
    )


def _write_clusters(kind: str, document: Document, numbers: NumberWriter) -> tuple[str, ...]:
    clusters = document["clusters"]
    said = [_write_spread(kind, document, numbers)]
    if document["interval"]:
        said.append(write_sentence(f"{kind}.mean", **_facts_of(document["interval"], numbers)))
        said.append(write_sentence(f"{kind}.new", **_range_facts(document["new_cluster"], numbers)))
    else:
        reason = _find_reason(document)
        said.append(write_sentence(f"{kind}.{reason}", needed=numbers.write_count(document["needed"])))
    if document["concordance"] is not None and document["accordance"] is not None and _differ(document):
        shares = {name: numbers.write_share(document[name]) for name in ("accordance", "concordance")}
        said.append(write_sentence(f"{kind}.agree", **shares))
    first = clusters[0]
    if kind == "paraphrases" or first["arm"] == 0:  # without a labelled run the primary arm is not among them
        said.append(write_sentence(f"{kind}.apart", first["runs"], runs=numbers.write_count(first["runs"])))
    return tuple(said)


def _differ(document: Document) -> bool:
    """Whether the clusters are what they are called: arms of one calendar day are not several days."""
    return bool(document.get("different_days", True))


def _find_reason(document: Document) -> str:
    """Why nothing is said of other clusters."""
    if not _differ(document):
        return "same"
    if not document.get("same_model", True):
        return "changed"
    return "few" if document["complete"] else "cut"


def _write_spread(kind: str, document: Document, numbers: NumberWriter) -> str:
    count = len(document["clusters"])
    lowest, highest = (numbers.write_share(document[name]) for name in ("lowest", "highest"))
    if count == 1:
        return write_sentence(f"{kind}.one", lowest=lowest)
    if not _differ(document):
        kind = "times"
    return write_sentence(
        f"{kind}.range", count, count=numbers.write_count(count), lowest=lowest, highest=highest
    )


def _facts_of(interval: Document, numbers: NumberWriter) -> dict[str, str]:
    return {
        "share": numbers.write_share(interval["estimate"]),
        "low": numbers.write_share(interval["low"]),
        "high": numbers.write_share(interval["high"]),
        "level": numbers.write_level(interval["level"]),
    }


def _range_facts(interval: Document, numbers: NumberWriter) -> dict[str, str]:
    """A range that is known roughly is written in whole percent."""
    limits = {name: numbers.labels.format_percent(interval[name], 0) for name in ("low", "high")}
    return {**limits, "level": numbers.write_level(interval["level"])}


def _rows(
    kind: str, document: Document, names: Mapping[int, str]
) -> list[tuple[int, str, Document, Document]]:
    """Number, name, counts and interval of every cluster, then of the mean and of a new cluster."""
    rows = [
        (cluster["arm"] + 1, names[cluster["arm"]], cluster, cluster["interval"])
        for cluster in document["clusters"]
    ]
    if document["interval"]:
        new = gettext("another paraphrase") if kind == "paraphrases" else gettext("another day")
        rows.append((0, gettext("mean"), {}, document["interval"]))
        rows.append((0, new, {}, document["new_cluster"]))
    return rows


def _list_lines(
    kind: str, document: Document, names: Mapping[int, str], numbers: NumberWriter
) -> tuple[ClusterLine, ...]:
    return tuple(
        ClusterLine(
            number=number,
            name=name,
            began=numbers.write_moment(counts.get("began_at"))
            if kind == "days" and counts.get("began_at")
            else "",
            counts=write_counts(counts, numbers) if counts else "",
            method=say(METHODS, interval["method"]),
            **(
                {"share": "", **_range_facts(interval, numbers)}
                if interval is document["new_cluster"]
                else _facts_of(interval, numbers)
            ),
        )
        for number, name, counts, interval in _rows(kind, document, names)
    )


def _draw_clusters(
    kind: str, document: Document, names: Mapping[int, str], numbers: NumberWriter, render: Render
) -> SafeString:
    """A forest plot: the mean with its estimate, a new cluster as a range without one."""
    rows = tuple(
        ForestRow(
            label=f"{number}. {name}" if number else name,
            estimate=None if interval is document["new_cluster"] else interval["estimate"],
            low=interval["low"],
            high=interval["high"],
            is_summary=not number,
        )
        for number, name, _, interval in _rows(kind, document, names)
    )
    title = gettext("Error rates one beneath the other, with their intervals")
    figure = ForestFigure(figure_id=f"clusters-{kind}", labels=numbers.labels, rows=rows, title=title)
    return render(draw_forest, figure)
