from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from threading import Event

import pytest

from ensemble import arm_work, states
from ensemble.arm_work import plan_calls
from ensemble.backends import open_backend
from ensemble.calls import make_call
from ensemble.ledger import export_lines, find_break
from ensemble.models import Endpoint, Experiment, LedgerEntry, Run, Slot, Zone
from ensemble.protocol import Label, Outcome, Purpose, Sampling, StoppingRule, audit_indexes, derive_seed
from ensemble.recording import record_calls
from ensemble.runner import Next, work_on
from ensemble.stats.designs import OFFERED_PLANS
from tests.ensemble.experiments import (
    DISTRIBUTION,
    add_scripted_endpoint,
    lock_new,
    make_arm,
    make_protocol,
    run_to_seal,
    work_until_idle,
)

pytestmark = pytest.mark.django_db


def test_a_fixed_test_makes_exactly_its_runs_and_is_sealed() -> None:
    experiment = run_to_seal(make_protocol(add_scripted_endpoint(), runs=40))
    assert (experiment.state, experiment.ended_as) == ("sealed", "completed")
    runs = experiment.runs.counted().order_by("index")
    assert [run.index for run in runs] == list(range(40))
    arm = experiment.arms.get()
    assert (arm.stopped_at, arm.runs, arm.stop_kind) == (40, 40, "rule")
    assert arm.errors == runs.filter(label=Label.ERROR).count()


def test_seeds_follow_from_the_protocol_hash() -> None:
    experiment = run_to_seal(make_protocol(add_scripted_endpoint(), runs=12))
    for run in experiment.runs.counted():
        assert run.seed == derive_seed(experiment.protocol_sha256, 0, run.index)


def test_the_ledger_is_an_unbroken_chain_from_opening_to_seal() -> None:
    experiment = run_to_seal(make_protocol(add_scripted_endpoint(), runs=12))
    lines = list(export_lines(experiment))
    assert find_break(lines) is None
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds[:3] == ["opened", "locked", "identity"]
    assert kinds[-2:] == ["completed", "sealed"]
    assert Counter(kinds)["run"] == Counter(kinds)["label"] == 12


def test_a_changed_line_breaks_the_chain() -> None:
    experiment = run_to_seal(make_protocol(add_scripted_endpoint(), runs=3))
    lines = list(export_lines(experiment))
    lines[3] = lines[3].replace('"attempt":1', '"attempt":2')
    assert find_break(lines) == "line 4 does not follow from line 3"


def test_ledger_entries_can_be_neither_changed_nor_deleted() -> None:
    experiment = run_to_seal(make_protocol(add_scripted_endpoint(), runs=3))
    entry = experiment.ledger.get(seq=1)
    for attempt in (
        entry.save,
        entry.delete,
        lambda: LedgerEntry.objects.filter(pk=entry.pk).update(line=""),
        lambda: LedgerEntry.objects.all().delete(),
    ):
        with pytest.raises(TypeError):
            attempt()


def test_the_audit_repeats_seeds_chosen_by_the_protocol_hash() -> None:
    experiment = run_to_seal(make_protocol(add_scripted_endpoint(), runs=40))
    audited = list(experiment.runs.audited().order_by("index").values_list("index", flat=True))
    assert audited == audit_indexes(experiment.protocol_sha256, 0, 40, 20)
    audit = experiment.latest_result().document["arms"][0]["audit"]
    assert (audit["repeats"], audit["identical"], audit["same_label"]) == (20, 20, 20)


def test_the_result_counts_what_the_runs_say() -> None:
    experiment = run_to_seal(make_protocol(add_scripted_endpoint(), runs=60))
    arm = experiment.latest_result().document["arms"][0]
    labels = Counter(experiment.runs.counted().values_list("label", flat=True))
    assert (arm["errors"], arm["runs"]) == (labels["error"], 60)
    assert arm["interval"]["low"] <= arm["errors"] / 60 <= arm["interval"]["high"]
    assert arm["interval_kind"] == "clopper-pearson"
    assert sum(group["count"] for group in arm["groups"]) == 60


def test_unlabelled_answers_do_not_count_as_runs() -> None:
    unclear = [{"text": "wrong", "share": "0.8"}, {"text": "hm", "share": "0.2"}]
    experiment = run_to_seal(make_protocol(add_scripted_endpoint(distribution=unclear), runs=20))
    arm = experiment.arms.get()
    assert (arm.runs, arm.stop_kind) == (20, "rule")
    assert arm.unlabelled == arm.stopped_at - 20 >= 0


def test_an_arm_without_any_label_ends_at_its_limit_with_the_sequence_only() -> None:
    endpoint = add_scripted_endpoint(distribution=[{"text": "hm", "share": "1"}])
    experiment = run_to_seal(make_protocol(endpoint, runs=10))
    arm = experiment.latest_result().document["arms"][0]
    assert (arm["stop"]["kind"], arm["n_stop"], arm["runs"]) == ("limit", 20, 0)
    assert arm["interval_kind"] == "confidence sequence"


def test_planned_precision_stops_at_the_first_run_that_meets_the_plan() -> None:
    plan = OFFERED_PLANS[2]
    rule = StoppingRule(
        kind="precision",
        half_width=Decimal(repr(plan.half_width)),
        alpha=Decimal(repr(plan.alpha)),
        min_coverage=Decimal(repr(plan.min_coverage)),
        min_coverage_at=Decimal(repr(plan.min_coverage_at)),
        min_runs=plan.min_runs,
        check_every=plan.check_every,
        max_runs=plan.max_runs,
    )
    experiment = run_to_seal(make_protocol(add_scripted_endpoint(), stopping=rule))
    labels = list(experiment.runs.counted().order_by("index").values_list("label", flat=True))
    stops = [n for n in range(1, len(labels) + 1) if plan.stops(labels[:n].count("error"), n)]
    document = experiment.latest_result().document["arms"][0]
    assert document["n_stop"] == stops[0]
    assert document["all_completed"]["runs"] == len(labels) >= stops[0]
    assert document["interval_kind"] == "planned precision"


def test_a_refusal_is_no_error_and_leaves_the_second_estimand() -> None:
    mixed = [{"text": "I cannot help you.", "share": "0.5"}, {"text": "wrong", "share": "0.5"}]
    experiment = run_to_seal(make_protocol(add_scripted_endpoint(distribution=mixed), runs=30))
    arm = experiment.latest_result().document["arms"][0]
    assert arm["outcomes"]["refused"] == arm["labels"]["no error"] == 30 - arm["errors"]
    assert arm["per_substantive_answer"]["runs"] == arm["errors"]


def test_transient_failures_are_retried_with_the_same_seed_and_kept() -> None:
    faults = [{"share": "0.3", "kind": "transient", "attempts": 1}]
    endpoint = add_scripted_endpoint(distribution=[{"text": "wrong", "share": "1"}], faults=faults)
    experiment = run_to_seal(make_protocol(endpoint, runs=10))
    failed = experiment.runs.counted().filter(outcome=Outcome.FAILED)
    assert experiment.ended_as == "completed"
    assert failed.exists()
    for attempt in failed:
        answer = experiment.runs.counted().finished().get(index=attempt.index)
        assert (answer.seed, answer.attempt) == (attempt.seed, attempt.attempt + 1)


def test_a_call_that_stays_failed_ends_its_arm_and_keeps_what_there_is() -> None:
    faults = [{"share": "0.02", "kind": "permanent"}]
    endpoint = add_scripted_endpoint(
        concurrency=1, distribution=[{"text": "wrong", "share": "1"}], faults=faults
    )
    experiment = run_to_seal(make_protocol(endpoint, runs=200))
    arm = experiment.latest_result().document["arms"][0]
    assert (experiment.state, experiment.ended_as, arm["stop"]["kind"]) == ("sealed", "failed", "failed")
    assert arm["interval_kind"] == "confidence sequence"
    assert arm["runs"] == arm["n_stop"] > 0


def test_arms_are_counted_apart() -> None:
    endpoint = add_scripted_endpoint()
    hot = make_arm(
        endpoint, name="hot", purpose=Purpose.TEMPERATURE, sampling=Sampling(temperature=Decimal("1.2"))
    )
    experiment = run_to_seal(make_protocol(endpoint, arms=(make_arm(endpoint), hot), runs=15))
    assert [(arm.name, arm.runs) for arm in experiment.arms.all()] == [("as recorded", 15), ("hot", 15)]
    assert Run.objects.counted().get(experiment=experiment, arm=1, index=0).seed == derive_seed(
        experiment.protocol_sha256, 1, 0
    )


def test_a_greedy_arm_is_one_effective_run_without_an_interval() -> None:
    endpoint = add_scripted_endpoint()
    cold = make_arm(endpoint, sampling=Sampling(temperature=Decimal(0)))
    arm = run_to_seal(make_protocol(endpoint, arms=(cold,), runs=12)).latest_result().document["arms"][0]
    assert (arm["deterministic"], arm["interval"], arm["interval_kind"]) == (True, None, "none")


def test_a_change_of_the_model_ends_the_arm() -> None:
    endpoint = add_scripted_endpoint()
    experiment = lock_new(make_protocol(endpoint, runs=100))
    assert work_on(experiment, "worker") == Next.NOW
    Endpoint.objects.filter(pk=endpoint.pk).update(
        options={"distribution": [{"text": "other", "share": "1"}]}
    )
    experiment.ledger.model.objects.filter(
        experiment=experiment
    )  # identity is checked again when work goes on
    from ensemble import identities

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identities, "CHECK_EVERY", identities.CHECK_EVERY * 0)
        experiment = work_until_idle(experiment)
    arm = experiment.latest_result().document["arms"][0]
    assert (experiment.ended_as, arm["stop"]["kind"]) == ("failed", "identity")
    assert "changed during the test" in arm["stop"]["reason"]


@pytest.fixture
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arm_work, "HEARTBEAT_SECONDS", 0.02)
    monkeypatch.setattr(arm_work, "TURN_SECONDS", 0.02)
    monkeypatch.setattr(arm_work, "TURN_CALLS", 1)  # one slow call must not stretch the turn to the last run


def slow_endpoint() -> Endpoint:
    return add_scripted_endpoint(distribution=DISTRIBUTION, latency_seconds="0.005")


def test_a_turn_ends_and_gives_back_what_it_had_not_begun(short_turns: None) -> None:
    experiment = lock_new(make_protocol(slow_endpoint(), runs=100))
    assert work_on(experiment, "worker") == Next.NOW
    assert experiment.runs.counted().count() < 100
    assert set(experiment.chunks.values_list("owner", flat=True)) == {""}
    assert not work_until_idle(experiment).runs.filter(remade=True).exists()


def test_pausing_stops_claims_and_resuming_goes_on(short_turns: None) -> None:
    experiment = lock_new(make_protocol(slow_endpoint(), runs=100))
    work_on(experiment, "worker")
    assert states.pause(experiment, by="owner")
    done = experiment.runs.counted().count()
    assert work_on(experiment, "worker") == Next.NOTHING
    assert experiment.runs.counted().count() == done < 100
    assert states.resume(experiment, by="owner")
    assert work_until_idle(experiment).runs.counted().count() == 100


def test_a_cancelled_test_reports_what_it_has_with_the_sequence_only(short_turns: None) -> None:
    experiment = lock_new(make_protocol(slow_endpoint(), runs=100))
    work_on(experiment, "worker")
    assert states.cancel(experiment, by="owner")
    assert not states.cancel(experiment, by="owner")
    experiment = work_until_idle(experiment)
    arm = experiment.latest_result().document["arms"][0]
    assert (experiment.state, experiment.ended_as) == ("sealed", "cancelled")
    assert arm["runs"] == experiment.runs.counted().count() > 0
    assert arm["interval_kind"] == "confidence sequence"


def test_work_on_a_sealed_test_changes_nothing() -> None:
    experiment = run_to_seal(make_protocol(add_scripted_endpoint(), runs=5))
    before = (experiment.ledger.count(), experiment.runs.count(), experiment.results.count())
    assert work_on(experiment, "another worker") == Next.NOTHING
    assert before == (experiment.ledger.count(), experiment.runs.count(), experiment.results.count())


def test_no_slot_stays_leased_after_the_work() -> None:
    run_to_seal(make_protocol(add_scripted_endpoint(), runs=5))
    assert set(Slot.objects.values_list("owner", flat=True)) == {""}


def test_an_unreachable_endpoint_pauses_the_test_with_a_reason() -> None:
    endpoint = Endpoint.objects.create(
        name="far", backend="ollama", model="none", url="http://127.0.0.1:9", timeout_seconds=2
    )
    experiment = work_until_idle(lock_new(make_protocol(endpoint, runs=5)))
    assert experiment.state == Experiment.State.PAUSED
    assert experiment.reason
    assert not experiment.runs.exists()


def test_a_batch_that_holds_an_answer_twice_is_recorded_once() -> None:
    endpoint = add_scripted_endpoint()
    experiment = lock_new(make_protocol(endpoint, runs=5))
    plan = plan_calls(experiment.protocol, 0, experiment.protocol_sha256)
    call = make_call(open_backend(endpoint.config()), plan, 0, stop=Event()).calls[0]
    record_calls(experiment, Zone.COUNTED, plan, [call, call], rule=experiment.protocol.stopping)
    record_calls(experiment, Zone.COUNTED, plan, [call], rule=experiment.protocol.stopping)
    assert experiment.runs.counted().count() == 1
    assert experiment.ledger.filter(kind="run").count() == 1
    assert work_until_idle(experiment).ended_as == "completed"
