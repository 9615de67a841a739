"""Paraphrases and days are clusters of runs; models never are, nor is the disputed prompt among its paraphrases."""

from __future__ import annotations

from typing import Any

import pytest

from ensemble import states
from ensemble.arm_work import plan_calls
from ensemble.backends.base import Completion
from ensemble.calls import classify
from ensemble.cluster_analysis import LEAST_CLUSTERS, Cluster, describe_clusters
from ensemble.models import Endpoint
from ensemble.protocol import BY_HAND, Arm, Message, Origin, Purpose, SaltedText, StoppingRule
from tests.ensemble.experiments import (
    DETECTOR,
    add_scripted_endpoint,
    lock_new,
    make_arm,
    make_protocol,
    run_to_seal,
    work_until_idle,
)

TWELVE = (10, 9, 10, 7, 0, 10, 8, 3, 10, 10, 6, 9)


def clusters(errors: tuple[int, ...], size: int, *, is_complete: bool = True) -> list[Cluster]:
    return [
        Cluster(arm=place, errors=count, runs=size, is_complete=is_complete)
        for place, count in enumerate(errors, start=1)
    ]


def test_twelve_paraphrases_give_the_published_interval() -> None:
    found = describe_clusters(clusters(TWELVE, 10))
    assert found is not None
    assert (found["lowest"], found["highest"]) == (0, 1)
    assert found["interval"]["low"] == pytest.approx(0.500064, abs=1e-6)
    assert found["interval"]["high"] == pytest.approx(0.934130, abs=1e-6)
    assert found["intraclass"] == pytest.approx(0.506372, abs=1e-6)
    assert found["new_cluster"]["low"] < found["interval"]["low"] < found["interval"]["high"]
    assert found["new_cluster"]["high"] > found["interval"]["high"]


def test_three_conditions_agree_and_differ_as_published() -> None:
    found = describe_clusters(clusters((18, 12, 2), 20))
    assert found is not None
    assert found["accordance"] == pytest.approx(0.7052632, abs=1e-7)
    assert found["concordance"] == pytest.approx(0.3933333, abs=1e-7)


@pytest.mark.parametrize("count", range(1, LEAST_CLUSTERS))
def test_fewer_than_five_clusters_are_shown_one_by_one(count: int) -> None:
    found = describe_clusters(clusters(TWELVE[:count], 10))
    assert found is not None
    assert (found["interval"], found["new_cluster"]) == (None, None)
    assert len(found["clusters"]) == count


def test_clusters_whose_runs_were_cut_short_have_sequences_and_no_pooled_interval() -> None:
    found = describe_clusters(clusters(TWELVE, 10, is_complete=False))
    assert found is not None
    assert (found["complete"], found["interval"], found["new_cluster"]) == (False, None, None)
    assert {cluster["interval"]["method"] for cluster in found["clusters"]} == {"confidence-sequence"}


def test_a_planned_cluster_that_is_missing_takes_the_pooled_interval_away() -> None:
    """Whoever gives an arm up may have seen the others: their number is no longer the one fixed beforehand."""
    found = describe_clusters(clusters(TWELVE, 10), planned=13)
    assert found is not None
    assert (found["complete"], found["interval"], found["new_cluster"]) == (False, None, None)
    assert {cluster["interval"]["method"] for cluster in found["clusters"]} == {"clopper-pearson"}


def test_a_model_that_was_changed_is_not_pooled() -> None:
    found = describe_clusters(clusters(TWELVE, 10), same_model=False)
    assert found is not None
    assert (found["complete"], found["interval"], found["new_cluster"]) == (True, None, None)


def test_without_clusters_there_is_nothing_to_say() -> None:
    assert describe_clusters([]) is None


OWN_RULE = StoppingRule(kind="fixed", runs=12)


def paraphrase(endpoint: Endpoint, number: int, **changes: Any) -> Arm:
    return make_arm(
        endpoint,
        name=f"paraphrase {number}",
        purpose=Purpose.PARAPHRASE,
        messages=(Message(role="user", content=f"Wording {number}: is a refund possible afterwards?"),),
        stopping=OWN_RULE,
        origin=Origin(written_by="owner"),
        **changes,
    )


@pytest.mark.django_db
def test_the_result_keeps_paraphrases_days_controls_and_comparisons_apart() -> None:
    endpoint = add_scripted_endpoint()
    control_detector = {**DETECTOR, "error_phrases": ["right"], "correct_phrases": ["wrong"]}
    arms = (
        make_arm(endpoint),
        *(paraphrase(endpoint, number) for number in range(1, 6)),
        make_arm(endpoint, name="day 2", purpose=Purpose.DAY, stopping=OWN_RULE),
        make_arm(
            endpoint,
            name="control",
            purpose=Purpose.CONTROL,
            messages=(Message(role="user", content="What is 2 + 2?"),),
            detector=control_detector,
            stopping=OWN_RULE,
        ),
        make_arm(
            endpoint,
            name="ordinary use",
            purpose=Purpose.ORDINARY_USE,
            messages=(Message(role="user", content="I booked last week. Can I have money back?"),),
        ),
    )
    protocol = make_protocol(endpoint, runs=30, arms=arms, disputed_answer="That is WRONG")
    experiment = run_to_seal(protocol)
    document = experiment.latest_result().document
    assert document["protocol"]["comparisons"]["arms"] == [8]
    assert [comparison["arm"] for comparison in document["comparisons"]] == [8]
    paraphrases, days = document["clusters"]["paraphrases"], document["clusters"]["days"]
    assert [cluster["arm"] for cluster in paraphrases["clusters"]] == [1, 2, 3, 4, 5]
    assert {cluster["runs"] for cluster in paraphrases["clusters"]} == {12}
    assert paraphrases["interval"]["method"] == "korn-graubard"
    assert [cluster["arm"] for cluster in days["clusters"]] == [0, 6]
    assert all(cluster["began_at"] for cluster in days["clusters"])
    assert (days["different_days"], days["interval"]) == (False, None)  # both were run just now
    assert {cluster["runs"] for cluster in days["clusters"]} == {12}
    runs = {arm["position"]: (arm["runs"], arm["stopping"]["runs"]) for arm in document["arms"]}
    assert (runs[0], runs[3], runs[7]) == ((30, 30), (12, 12), (12, 12))
    assert experiment.protocol.arms[1].origin == Origin(written_by="owner")
    named = [arm["disputed_answer"] for arm in document["arms"]]
    assert named[0]["count"] == document["arms"][0]["errors"]
    assert named[7] is None  # another question has other answers


@pytest.mark.django_db
def test_a_control_is_labelled_by_its_own_detector() -> None:
    """There a refusal is an error: the known answer is missing."""
    answers = [
        {"text": "That is wrong.", "share": "0.5"},
        {"text": "I cannot help with that.", "share": "0.5"},
    ]
    endpoint = add_scripted_endpoint(distribution=answers)
    detector = {**DETECTOR, "error_phrases": [], "correct_phrases": ["wrong"], "otherwise": "error"}
    control = make_arm(
        endpoint,
        name="control",
        purpose=Purpose.CONTROL,
        messages=(Message(role="user", content="Which word?"),),
        detector=detector,
        stopping=OWN_RULE,
    )
    experiment = run_to_seal(make_protocol(endpoint, runs=20, arms=(make_arm(endpoint), control)))
    first, second = experiment.latest_result().document["arms"]
    refused = [arm["outcomes"]["refused"] for arm in (first, second)]
    assert first["errors"] + refused[0] == 20
    assert (0 < second["errors"] < 12, refused[0] > 0, refused[1]) == (True, True, 0)
    assert (second["runs"], second["interval_kind"]) == (12, "clopper-pearson")


def test_a_provider_that_says_it_refused_is_no_exception_for_a_control() -> None:
    """The locked protocol says of every arm who labels refusals, and runs are labelled accordingly."""
    refused = Completion(text="I decline.", finish_reason="stop", raw=b"{}", refused=True)
    endpoint = Endpoint(name="script", backend="scripted", model="script")
    control = make_arm(
        endpoint, purpose=Purpose.CONTROL, detector={**DETECTOR, "error_phrases": [], "otherwise": "error"}
    )
    protocol = make_protocol(endpoint, arms=(make_arm(endpoint), control))
    labelled = [classify(plan_calls(protocol, place, "0" * 64), refused) for place in (0, 1)]
    assert [(outcome, finding.label) for outcome, finding in labelled] == [
        ("refused", "no error"),
        ("answered", "error"),
    ]
    salted = [SaltedText(text=text, salt=b"0" * 16) for text in protocol.texts()]
    assert [arm["refusals"] for arm in protocol.document(salted)["arms"]] == ["no error", "detector"]


@pytest.mark.django_db
def test_days_are_as_planned_or_not_pooled_and_other_models_stay_out() -> None:
    """One day is given up; a paraphrase is sent to another endpoint; day 1 has the number planned for the others."""
    endpoint, other = add_scripted_endpoint(), add_scripted_endpoint("other")
    days = tuple(
        make_arm(endpoint, name=f"day {number}", purpose=Purpose.DAY, stopping=OWN_RULE, begins=begins)
        for number, begins in enumerate(("", "", "", "", BY_HAND), start=2)
    )
    arms = (make_arm(endpoint), *days, paraphrase(endpoint, 1), paraphrase(other, 2))
    experiment = work_until_idle(lock_new(make_protocol(endpoint, runs=30, arms=arms)))
    assert states.skip_arm(experiment, 5, by="owner", reason="enough was seen")
    clusters_found = work_until_idle(experiment).latest_result().document["clusters"]
    found = clusters_found["days"]
    assert [(cluster["arm"], cluster["runs"]) for cluster in found["clusters"]] == [
        (place, 12) for place in range(5)
    ]
    assert (found["complete"], found["same_model"], found["interval"]) == (False, True, None)
    assert [cluster["arm"] for cluster in clusters_found["paraphrases"]["clusters"]] == [6]


@pytest.mark.django_db
def test_a_model_that_changes_between_two_days_is_told_of() -> None:
    endpoint = add_scripted_endpoint()
    day = make_arm(endpoint, name="day 2", purpose=Purpose.DAY, stopping=OWN_RULE, begins=BY_HAND)
    experiment = work_until_idle(lock_new(make_protocol(endpoint, runs=12, arms=(make_arm(endpoint), day))))
    Endpoint.objects.update(options={"distribution": [{"text": "That is wrong.", "share": "1"}]})
    states.open_arm(experiment, 1, by="owner")
    found = work_until_idle(experiment).latest_result().document["clusters"]["days"]
    assert (found["complete"], found["same_model"]) == (True, False)
