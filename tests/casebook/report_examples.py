"""Report contexts for tests: realistic result documents of every shape, computed with the engine's own statistics."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from casebook.neutral_names import ARM_KINDS
from casebook.reporting.clusters import PURPOSES
from casebook.reporting.context import (
    ArmCounts,
    CaseFacts,
    ExhibitFacts,
    IncidentFacts,
    LedgerEvent,
    ReportContext,
    TestFacts,
    TurnFacts,
)
from ensemble.cluster_analysis import Cluster, describe_clusters
from ensemble.comparisons import compare_arms
from ensemble.detectors.normalise import group_key
from ensemble.protocol import (
    Arm,
    Message,
    Origin,
    Protocol,
    Purpose,
    SaltedText,
    Sampling,
    StoppingRule,
    audit_indexes,
    canonical_json,
    derive_seed,
    sha256_hex,
)
from ensemble.run_facts import RunFacts
from ensemble.stats.clusters import identical_share
from ensemble.stats.interval import Interval
from ensemble.stats.proportion import clopper_pearson, missing_label_band, wilson
from ensemble.stats.sequential import confidence_sequence
from ensemble.stopping import decide
from ensemble.variety import compare_halves, count_named, describe_diversity
from tests.casebook.report_shapes import (
    ANSWERS,
    ANYTIME,
    DETECTOR,
    FIXED,
    HOSTILE,
    IDENTITY,
    LONG_WORD,
    ODD,
    PLAN,
    PROMPT,
    SHAPES,
)


def interval_document(interval: Interval | None) -> dict[str, Any] | None:
    return interval.document() if interval else None


def make_rule(kind: str, runs: int, threshold: str = "0", half_width: str = "0") -> StoppingRule:
    if kind == FIXED:
        return StoppingRule(kind="fixed", runs=runs)
    if kind == ANYTIME:
        return StoppingRule(
            kind="anytime", max_runs=100, threshold=Decimal(threshold), half_width=Decimal(half_width)
        )
    return StoppingRule(
        kind="precision",
        half_width=Decimal(str(PLAN.half_width)),
        alpha=Decimal(str(PLAN.alpha)),
        min_coverage=Decimal(str(PLAN.min_coverage)),
        min_coverage_at=Decimal(str(PLAN.min_coverage_at)),
        max_runs=PLAN.max_runs,
    )


def make_protocol(
    rule: StoppingRule,
    temperatures: tuple[str, ...],
    detector: dict[str, Any],
    *,
    purposes: tuple[Purpose, ...] = (),
    **changes: Any,
) -> Protocol:
    """A protocol of such arms; `changes` of their fields are made in every one, `purposes` follow the primary arm's."""
    arms = [
        Arm(
            name="as recorded, default sampling" if place == 0 else f"temperature {temperature}",
            purpose=Purpose.PRIMARY if place == 0 else Purpose.TEMPERATURE,
            endpoint="Embedded model",
            sampling=Sampling(temperature=Decimal(temperature)),
            **{"backend": "embedded", "model": "SmolLM2-135M-Instruct", "messages": PROMPT, **changes},
        )
        for place, temperature in enumerate(temperatures)
    ]
    for number, purpose in enumerate(purposes, start=1):
        asked = Message(
            role="user", content=f"In other words, number {number}: may I have a refund afterwards?"
        )
        own = {"name": f"{ARM_KINDS[purpose]} {number}", "purpose": purpose, "stopping": make_rule(FIXED, 20)}
        arms.append(replace(arms[0], **own, messages=(asked,), origin=Origin(written_by="demo")))
    return Protocol(
        arms=tuple(arms),
        detector=detector,
        refusal_phrases=("I can't help with that", "I cannot assist"),
        stopping=rule,
        question="How often does the answer promise a refund after the trip?",
        disputed_answer="Yes, you may apply for the reduced fare after travel.",
    )


def make_labels(shape: dict[str, Any]) -> list[str]:
    """Labels in a fixed shuffled order, or `in_order`; `refused` is labelled `no error`."""
    labels = [name for name, count in shape["counts"].items() for _ in range(count)]
    if not shape.get("in_order"):
        random.Random(7).shuffle(labels)
    return labels


def make_labels_until_stop(share: float) -> list[str]:
    """Labels as they fall with a true share of `share`, until the precision plan stops."""
    rng, labels = random.Random(11), list[str]()
    while not PLAN.stops(labels.count("error"), len(labels)):
        labels.append("error" if rng.random() < share else "no error")
    return labels


def make_arm(protocol: Protocol, protocol_sha256: str, position: int, **shape: Any) -> dict[str, Any]:
    """One entry of `arms`. `shape`: labels, stop kind, what was finished besides, answers, and so on."""
    arm, rule = protocol.arms[position], protocol.rule_of(position)
    drawn = make_labels_until_stop(shape["share"]) if "share" in shape else make_labels(shape)
    answers = shape.get("answers", ANSWERS)
    labels = ["no error" if name == "refused" else name for name in drawn]
    found = Counter(labels)
    errors, runs, unlabelled = found["error"], found["error"] + found["no error"], found["unclear"]
    by_rule, level = shape.get("stop", "rule") == "rule", 0.95
    sequence = confidence_sequence(errors, runs)
    if not by_rule or rule.kind == ANYTIME:
        interval, kind = sequence, "confidence sequence"
    elif rule.kind == FIXED:
        interval, kind = clopper_pearson(errors, runs), "clopper-pearson"
    else:
        interval, kind = PLAN.interval(errors, runs), "planned precision"
    deterministic = arm.sampling.temperature == 0
    texts = [answers[name][index % len(answers[name])] for index, name in enumerate(drawn)]
    runs_list = [
        {
            "index": index,
            "seed": derive_seed(protocol_sha256, position, index),
            "outcome": "refused" if name == "refused" else "answered",
            "label": labels[index],
            "text_sha256": sha256_hex(f"salt{index}{texts[index]}".encode()),
            "finish_reason": "stop",
            "tokens": 12 + index % 9,
            "ms": 180 + 7 * (index % 23),
            "attempt": 2 if index == 3 else 1,
            "remade": index == 5,
        }
        for index, name in enumerate(drawn)
    ]
    groups = Counter(zip(texts, labels, strict=True)).most_common()
    repeats = len(audit_indexes(protocol_sha256, position, len(drawn), max(20, len(drawn) // 10)))
    differing = min(shape.get("differing", 1), repeats)
    pairs = [("a", "b")] * differing + [("a", "a")] * (repeats - differing)
    more = shape.get("more", 5 if by_rule else 0)
    substantive = [label for label, name in zip(labels, drawn, strict=True) if name != "refused"]
    sub = Counter(substantive)
    sub_runs = sub["error"] + sub["no error"]
    return {
        "position": position,
        "name": arm.name,
        "purpose": arm.purpose,
        "endpoint": arm.endpoint,
        "backend": arm.backend,
        "model": arm.model,
        "sampling": arm.sampling.document(),
        "identity": shape.get("identity")
        or {
            "first": IDENTITY,
            "last": shape.get("last_identity", IDENTITY),
            "first_at": "2026-05-12T14:01:00.000Z",
            "last_at": "2026-05-12T14:04:00.000Z",
            "checks": shape.get("checks", 4),
            "changed": shape.get("stop") == "identity",
        },
        "begins": arm.begins,
        "stopping": rule.document(),
        "n_stop": len(drawn),
        "stop": {"kind": shape.get("stop", "rule"), "reason": shape.get("reason", "")},
        "deterministic": deterministic,
        "errors": errors,
        "runs": runs,
        "unlabelled": unlabelled,
        "interval": None if deterministic else interval_document(interval),
        "interval_kind": "none" if deterministic else kind,
        "confidence_sequence": None if deterministic else interval_document(sequence),
        "wilson": interval_document(wilson(errors, runs))
        if kind == "clopper-pearson" and not deterministic
        else None,
        "worst_case": None
        if deterministic
        else interval_document(missing_label_band(errors, runs, unlabelled)),
        "zero_errors": {"one_sided_bound": 1 - 0.05 ** (1 / runs), "level": level, "sided": "one"}
        if errors == 0 and runs and not deterministic and by_rule and rule.kind == FIXED
        else {"one_sided_bound": interval.high, "level": level, "sided": "two"}
        if errors == 0 and runs and not deterministic
        else None,
        "decision": asdict(decide(rule, errors, runs)) if rule.threshold and not deterministic else None,
        "labels": {name: found[name] for name in ("error", "no error", "unclear")},
        "outcome_parts": {
            "error": errors,
            "no_error": found["no error"] - drawn.count("refused"),
            "unclear": unlabelled,
            "refused": drawn.count("refused"),
            "truncated": 0,
            "failed": shape.get("failed_calls", 1 if len(drawn) > 3 else 0),
        },
        "outcomes": {
            "answered": len(drawn) - drawn.count("refused"),
            "refused": drawn.count("refused"),
            "truncated": 0,
            "failed": shape.get("failed_calls", 1 if len(drawn) > 3 else 0),
        },
        "per_substantive_answer": {
            "errors": sub["error"],
            "runs": sub_runs,
            "interval": interval_document(confidence_sequence(sub["error"], sub_runs)) if sub_runs else None,
        },
        "audit": {
            "repeats": repeats,
            "identical": repeats - differing,
            "same_label": repeats,
            "identical_share": interval_document(identical_share(pairs)) if pairs else None,
            "same_label_share": interval_document(identical_share([("a", "a")] * repeats)) if pairs else None,
            "warm": repeats,
            "cold": 0,
            "failed_calls": 0,
            "note": "",
        },
        "sequence": make_sequence(labels),
        "groups": [
            {
                "text": text[:2000],
                "characters": len(text),
                "count": count,
                "label": label,
                "first_index": texts.index(text),
            }
            for (text, label), count in groups[:50]
        ],
        "groups_total": len(groups),
        "distinct_answers": len(set(texts)),
        "duplicate_seeds": shape.get("duplicate_seeds", 0),
        "remade": sum(run["remade"] for run in runs_list),
        "retried": sum(run["attempt"] > 1 for run in runs_list),
        "tokens": {"prompt": 51 * len(drawn), "completion": sum(run["tokens"] for run in runs_list)},
        "call_seconds": 61.25,
        "cache": {"warm": max(len(drawn) - 1, 0), "cold": min(1, len(drawn)), "unknown": 0},
        "all_completed": {
            "errors": errors,
            "runs": runs + more,
            "unlabelled": unlabelled,
            "outcomes": {
                "answered": len(drawn) - drawn.count("refused") + more,
                "refused": drawn.count("refused"),
                "truncated": 0,
                "failed": shape.get("failed_calls", 1 if len(drawn) > 3 else 0),
            },
            "labels": {"error": errors, "no error": found["no error"] + more, "unclear": unlabelled},
            "interval": interval_document(confidence_sequence(errors, runs + more)),
        },
        **describe_runs(labels, texts, protocol.disputed_answer),
        "runs_list": runs_list[:2000],
        "runs_total": len(runs_list),
    }


def describe_runs(labels: list[str], texts: list[str], disputed: str) -> dict[str, Any]:
    """The variety and the drift of the runs, by the engine itself."""
    facts = [
        RunFacts(
            pk=index,
            index=index,
            seed=index,
            attempt=1,
            remade=False,
            outcome="answered",
            label=label,
            answer_sha256=sha256_hex(text.encode()),
            group_sha256=sha256_hex(group_key(text).encode()),
            text_sha256="",
            finish_reason="stop",
            prompt_tokens=None,
            completion_tokens=None,
            duration_ms=1,
            warm=None,
        )
        for index, (label, text) in enumerate(zip(labels, texts, strict=True))
    ]
    return {
        "diversity": describe_diversity(facts, 0.95),
        "disputed_answer": count_named(facts, disputed, 0.95),
        "halves": compare_halves(facts),
    }


def make_clusters(arms: list[dict[str, Any]], kind: str, *, same_model: bool = True) -> dict[str, Any] | None:
    """What the clusters among such arms say; day 1 is the primary arm."""
    purposes = {PURPOSES[kind]} | ({"primary"} if kind == "days" else set())
    planned = [arm for arm in arms if arm["purpose"] in purposes]
    found = [arm for arm in planned if arm["runs"]]
    if not any(arm["purpose"] != "primary" for arm in found):
        return None
    clusters = [
        Cluster(
            arm=arm["position"],
            errors=arm["errors"],
            runs=arm["runs"],
            is_complete=arm["interval_kind"] == "clopper-pearson",
            began_at=f"2026-05-{1 + arm['position']:02}T14:01:00.000Z",
        )
        for arm in found
    ]
    return describe_clusters(clusters, planned=len(planned), same_model=same_model)


def make_sequence(labels: list[str]) -> list[list[float]]:
    points, errors, runs = [], 0, 0
    decided = [label for label in labels if label != "unclear"]
    step = max(1, -(-len(decided) // 300))
    for label in decided:
        runs, errors = runs + 1, errors + (label == "error")
        if runs % step == 0 or runs == len(decided):
            interval = confidence_sequence(errors, runs)
            points.append([runs, errors, interval.low, interval.high])
    return points


def make_result(shape_name: str) -> tuple[dict[str, Any], str]:
    """The result document of a shape and the canonical text of its protocol."""
    shape = SHAPES[shape_name]
    finished = sum(shape["counts"].get(name, 0) for name in ("error", "no error", "refused"))
    runs = finished if shape.get("stop", "rule") == "rule" else 300
    rule = make_rule(
        shape.get("rule", FIXED), runs, shape.get("threshold", "0"), shape.get("half_width", "0")
    )
    protocol = make_protocol(
        rule,
        shape.get("temperatures", ("0.8",)),
        shape.get("detector", DETECTOR),
        **{name: shape[name] for name in ("backend", "model", "messages", "purposes") if name in shape},
    )
    salted = [SaltedText(text=text, salt=bytes(range(16))) for text in protocol.texts()]
    protocol_json = canonical_json(protocol.document(salted)).decode()
    digest = sha256_hex(protocol_json.encode())
    ended_as = shape.get("ended_as", "completed")
    each = shape.get("each", ({},) * len(protocol.arms))
    arms = [make_arm(protocol, digest, place, **{**shape, **own}) for place, own in enumerate(each)]
    document = {
        "schema": "casebook-result/1",
        "experiment": {
            "id": "4f1c2a7e-0000-4000-8000-000000000001",
            "title": "First test",
            "operator": "demo",
            "ended_as": ended_as,
            "reason": shape.get("reason", ""),
            "opened_at": "2026-05-12T13:40:00.000Z",
            "locked_at": "2026-05-12T14:00:12.345Z",
            "started_at": "2026-05-12T14:00:13.000Z",
            "ended_at": "2026-05-12T14:04:40.000Z",
        },
        "protocol_sha256": digest,
        "protocol": json.loads(protocol_json),
        "texts": {item.sha256: {"salt": item.salt.hex(), "text": item.text} for item in salted},
        "ledger": {"entries": 640, "head": "cd" * 32},
        "software": {"casebook": "0.1.0", "python": "3.11.9", "numpy": "2.4.6", "scipy": "1.17.1"},
        "exploratory_runs": 6,
        "earlier_tests": [
            {
                "number": 1,
                "protocol_sha256": "ef" * 32,
                "locked_at": "2026-05-11T09:00:00.000Z",
                "state": "cancelled",
            }
        ],
        "arms": arms,
        "comparisons": compare_arms(arms, rule),
        "clusters": {
            kind: make_clusters(arms, kind, same_model=not shape.get("model_changed")) for kind in PURPOSES
        },
    }
    if shape.get("same_day"):
        document["clusters"]["days"] |= {"different_days": False}
    return document, protocol_json


def make_incident(**changes: Any) -> IncidentFacts:
    facts: dict[str, Any] = {
        "product": "Support assistant of the airline's website",
        "provider": "not known",
        "deployer": "Example Air",
        "occurred_on": "2022-11-11",
        "time_zone": "America/Vancouver",
        "interface": "chat window on the website",
        "turns": (
            *(TurnFacts(role=message.role, content=message.content) for message in PROMPT),
            TurnFacts(role="assistant", content=ANSWERS["error"][0]),
        ),
        "disputed_answer": ANSWERS["error"][0],
        "what_is_wrong": "The answer says that the refund can be claimed after the trip.",
        "wrong_statement": "within 90 days after your trip",
        "truth": "The bereavement fare must be requested before the trip.",
        "truth_source": "Example Air, “Bereavement travel”, page captured on 12 November 2022 (exhibit 2).",
        "harm_kind": "money",
        "harm_amount": "812.02",
        "harm_currency": "CAD",
        "harm": "Two tickets were bought at the full fare.",
        "disclaimer": "Our assistant can make mistakes. Please check important information.",
        "disclaimer_place": "beneath the input field, small grey type",
        "prompt_is_verbatim": True,
    }
    return IncidentFacts(**{**facts, **changes})


def make_context(shape: str = "middle", language: str = "en", **changes: Any) -> ReportContext:
    """The context of a report on a test of the given shape."""
    document, protocol_json = make_result(shape)
    result_json = json.dumps(document, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    arms = tuple(
        ArmCounts(name=a["name"], errors=a["errors"], runs=a["runs"], unlabelled=a["unlabelled"])
        for a in document["arms"]
    )
    this = TestFacts(
        number=2,
        title="First test",
        state="sealed",
        ended_as=document["experiment"]["ended_as"],
        protocol_sha256=document["protocol_sha256"],
        locked_at="2026-05-12T14:00:12.345Z",
        ended_at="2026-05-12T14:04:40.000Z",
        exploratory_runs=6,
        arms=arms,
    )
    earlier = replace(
        this,
        number=1,
        ended_as="cancelled",
        protocol_sha256="ef" * 32,
        locked_at="2026-05-11T09:00:00.000Z",
        ended_at="2026-05-11T09:01:00.000Z",
        arms=(ArmCounts(name="as recorded, default sampling", errors=3, runs=11, unlabelled=0),),
    )
    context = ReportContext(
        language=language,
        case=CaseFacts(
            public_id="9b2f9c1e-0000-4000-8000-000000000002",
            title="Refund promised by a support assistant",
            summary="A passenger relied on the assistant's answer and was refused the refund.",
            illustration_notice="",
        ),
        incident=make_incident(),
        exhibits=(
            ExhibitFacts(
                number=1,
                name="chat-window.png",
                description="Screenshot of the conversation",
                media_type="image/png",
                size=348_120,
                sha256="1a" * 32,
                received_at="2026-05-10T10:00:00.000Z",
            ),
            ExhibitFacts(
                number=2,
                name="bereavement-policy.pdf",
                description="The policy page as it stood on the day after",
                media_type="application/pdf",
                size=1_204_551,
                sha256="2b" * 32,
                received_at="2026-05-10T10:02:00.000Z",
            ),
        ),
        tests=(earlier, this),
        events=(LedgerEvent(kind="paused", at="2026-05-12T14:01:00.000Z", reason="lunch"),),
        test_number=2,
        exploratory_runs=9,
        result_json=result_json,
        result_sha256=sha256_hex(result_json.encode()),
        result_version=1,
        protocol_json=protocol_json,
        ledger_head="9d" * 32,
        sealed_at="2026-05-12T14:05:00.000Z",
        as_of="2026-05-12T15:30:00.000Z",
    )
    return replace(context, **changes)


def make_hostile_context(language: str = "en") -> ReportContext:
    """A case whose every text tries to break the page."""
    context = make_context("middle", language)
    incident = make_incident(
        product=HOSTILE,
        provider=LONG_WORD[:180],
        deployer=ODD[:190],
        interface="\u202e" + HOSTILE[:100],
        turns=(
            TurnFacts(role="system", content=ODD),
            TurnFacts(role="user", content="\u0634\u0643\u0631\u0627 " * 30),
            *(TurnFacts(role="user", content=f"turn {n}: {HOSTILE}") for n in range(200)),
            TurnFacts(role="assistant", content=LONG_WORD),
        ),
        disputed_answer=LONG_WORD,
        what_is_wrong=HOSTILE,
        truth=ODD,
        truth_source="https://example.org/" + "a" * 900,
        harm="\n".join("line" for _ in range(60)),
        disclaimer=HOSTILE + ODD,
        prompt_is_verbatim=False,
    )
    result = json.loads(context.result_json)
    result["experiment"]["operator"] = HOSTILE[:150]
    result["experiment"]["reason"] = HOSTILE
    arm = result["arms"][0]
    arm["name"] = HOSTILE[:120]
    arm["groups"][0]["text"] = LONG_WORD[:2000]
    arm["groups"][0]["characters"] = len(LONG_WORD)
    arm["groups"][1]["text"] = HOSTILE
    arm["groups"][2]["text"] = ODD.replace("\ud800", "\ufffd")
    arm["identity"]["first"] = {**IDENTITY, "name": HOSTILE, "server": LONG_WORD[:300]}
    return replace(
        replace_result(context, result),
        case=replace(context.case, title=HOSTILE[:80] + LONG_WORD[:120], summary=ODD),
        incident=incident,
        exhibits=tuple(replace(item, name=HOSTILE[:90] + LONG_WORD[:100]) for item in context.exhibits),
    )


def replace_result(context: ReportContext, result: dict[str, Any]) -> ReportContext:
    """The context with another result document and its hash."""
    text = json.dumps(result, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    return replace(context, result_json=text, result_sha256=sha256_hex(text.encode()))


def make_context_with_a_wrong_seed(language: str = "en") -> ReportContext:
    """A result whose third run has a seed that somebody chose."""
    context = make_context("middle", language)
    result = json.loads(context.result_json)
    result["arms"][0]["runs_list"][2]["seed"] += 1
    return replace_result(context, result)


def make_russian_context(language: str = "ru", shape: str = "middle") -> ReportContext:
    """A case in Russian, the copy of a sample."""
    context = make_context(shape, language)
    incident = make_incident(
        product="Помощник на сайте авиакомпании",
        provider="неизвестен",
        deployer="ООО «Пример Эйр»",
        occurred_on="~2022-11",
        time_zone="Europe/Moscow",
        interface="окно чата на сайте",
        turns=(
            TurnFacts(
                role="user",
                content="Можно ли получить возврат по тарифу «траур» после поездки?",
            ),
            TurnFacts(
                role="assistant", content="Да. Возврат можно оформить в течение 90 дней после поездки."
            ),
        ),
        disputed_answer="Да. Возврат можно оформить в течение 90 дней после поездки.",
        what_is_wrong="В ответе сказано, что возврат оформляется после поездки.",
        wrong_statement="в течение 90 дней после поездки",
        truth="Скидку запрашивают до поездки.",
        truth_source="Страница авиакомпании, снимок от 12 ноября 2022 г. (приложение 2).",
        harm_amount="60000",
        harm_currency="RUB",
        harm="Куплены два билета по полному тарифу.",
        disclaimer="Ассистент может ошибаться. Проверяйте важные сведения.",
        disclaimer_place="под полем ввода, мелким серым шрифтом",
    )
    notice = (
        "Это пример для показа возможностей программы. Запрос восстановлен по описаниям и задан другой, маленькой "
        "модели; о продукте названной компании результат не говорит ничего."
    )
    case = replace(
        context.case,
        title="Возврат, обещанный помощником на сайте авиакомпании",
        summary="Пассажир положился на ответ помощника и получил отказ.",
        illustration_notice=notice,
    )
    return replace(context, case=case, incident=incident)
