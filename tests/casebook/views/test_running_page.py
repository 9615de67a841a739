"""The page of a locked test: what was locked, how it goes on, what it waits for, and how it is cancelled."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from casebook import experiments
from casebook.live import choose_pause
from casebook.models import Case, CaseTest
from ensemble import arm_work
from ensemble.claims import claim_chunk
from ensemble.exploring import run_batch
from ensemble.models import Endpoint, Experiment, Zone
from ensemble.protocol import BY_HAND
from ensemble.runner import work_on
from tests.casebook.cases_for_tests import add_case, add_draft_test, run_to_seal
from tests.ensemble.experiments import work_until_idle

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(owner: User, teammate: User) -> CaseTest:
    return add_draft_test(add_case(owner, teammate), runs=400)


@pytest.fixture
def running(draft: CaseTest, monkeypatch: pytest.MonkeyPatch) -> CaseTest:
    """A test in the middle of its runs."""
    monkeypatch.setattr(arm_work, "TURN_SECONDS", 0.05)
    monkeypatch.setattr(arm_work, "TURN_CALLS", 1)  # one slow call must not stretch the turn to the last run
    monkeypatch.setattr(arm_work, "HEARTBEAT_SECONDS", 0.01)
    Endpoint.objects.update(options={**Endpoint.objects.get().options, "latency_seconds": "0.005"})
    experiments.lock_and_run(draft, by="owner")
    work_on(stored(draft), "worker")
    assert stored(draft).state == "running"
    return CaseTest.objects.get(pk=draft.pk)


def url(name: str, test: CaseTest, *more: Any) -> str:
    return reverse(f"casebook:{name}", args=[test.case.public_id, test.number, *more])


def stored(test: CaseTest) -> Experiment:
    return Experiment.objects.get(pk=test.experiment_id)


def read(client: Client, user: User, address: str) -> str:
    client.force_login(user)
    return client.get(address).content.decode()


def test_cancelling_asks_first_and_says_how_much_is_kept(
    client: Client, running: CaseTest, owner: User
) -> None:
    assert url("test-cancel", running) in read(client, owner, url("test-detail", running))
    made = stored(running).runs.counted().finished().count()
    page = read(client, owner, url("test-cancel", running))
    assert f"{made} runs were made so far and are kept" in page
    assert stored(running).state == "running"
    assert client.post(url("test-steer", running), {"action": "cancel"}).status_code == 404
    assert stored(running).state == "running"
    client.post(url("test-cancel", running))
    assert stored(running).ended_as == "cancelled"
    assert client.get(url("test-cancel", running)).status_code == 302


def test_a_teammate_may_cancel_and_a_stranger_finds_nothing(
    client: Client, running: CaseTest, teammate: User, stranger: User
) -> None:
    client.force_login(stranger)
    assert client.get(url("test-cancel", running)).status_code == 404
    assert client.post(url("test-cancel", running)).status_code == 404
    assert stored(running).state == "running"
    client.force_login(teammate)
    assert client.get(url("test-cancel", running)).status_code == 200
    client.post(url("test-cancel", running))
    assert stored(running).ended_as == "cancelled"


def run_with_arms(case: Case, further: int) -> CaseTest:
    """A test with paraphrases whose runs are made, and a day that waits, so that it goes on running."""
    test = add_draft_test(case, runs=8)
    arms: list[dict[str, Any]] = [
        {"key": f"{place:08x}", "purpose": "paraphrase", "prompt": f"Wording {place}?", "runs": 8}
        for place in range(further)
    ]
    arms.append({"key": "0a0a0a0a", "purpose": "day", "begins": BY_HAND, "zone": "UTC", "runs": 8})
    draft = {**test.experiment.draft, "arms": arms}
    assert experiments.save_draft(test, draft, seen_sha256=experiments.draft_sha256(test.experiment.draft))
    experiments.lock_and_run(test, by="owner")
    work_until_idle(test.experiment)
    return CaseTest.objects.get(pk=test.pk)


def test_what_is_asked_again_every_few_seconds_does_not_grow_with_the_arms(
    client: Client, owner: User, django_assert_max_num_queries: Any
) -> None:
    """Beside the primary arm, more than two are lines: their counts are known without reading a run."""
    case = add_case(owner)
    test = run_with_arms(case, 11)
    client.force_login(owner)
    with django_assert_max_num_queries(30):
        page = client.get(url("test-live", test)).content.decode()
    lines = page.count('class="cb-arm-said"')
    assert lines == 12
    for arm in stored(test).arms.filter(position__gt=0, runs__gt=0):
        assert f"{arm.errors} of {arm.runs}" in page or f"{arm.errors} in {arm.runs}" in page
    with django_assert_max_num_queries(32):
        client.get(url("test-detail", test))


def test_the_editor_of_many_arms_asks_the_database_no_more_often(
    client: Client, owner: User, django_assert_max_num_queries: Any
) -> None:
    test = add_draft_test(add_case(owner))
    arms = [
        {"key": f"{place:08x}", "purpose": "paraphrase", "prompt": f"Wording {place}?", "runs": 8}
        for place in range(11)
    ]
    draft = {**test.experiment.draft, "arms": arms}
    assert experiments.save_draft(test, draft, seen_sha256=experiments.draft_sha256(test.experiment.draft))
    client.force_login(owner)
    with django_assert_max_num_queries(26):
        assert "paraphrase 11" in client.get(url("test-edit", test)).content.decode()


def test_a_page_that_has_more_to_read_asks_less_often(running: CaseTest) -> None:
    experiment = stored(running)
    assert choose_pause(experiment, is_idle=False) == 2
    assert choose_pause(experiment, is_idle=True) == 30
    experiment.arms.update(prefix=10_000)
    assert choose_pause(experiment, is_idle=False) == 6
    experiment.arms.update(prefix=100_000)
    assert choose_pause(experiment, is_idle=False) == 30


def test_a_draft_is_not_cancelled(client: Client, draft: CaseTest, owner: User) -> None:
    client.force_login(owner)
    assert client.get(url("test-cancel", draft)).status_code == 302
    assert client.post(url("test-cancel", draft)).status_code == 302
    assert stored(draft).is_draft


def test_everything_that_was_locked_is_on_the_page(client: Client, running: CaseTest, owner: User) -> None:
    page = read(client, owner, url("test-detail", running))
    protocol = stored(running).protocol
    arm = protocol.arms[0]
    for expected in (
        stored(running).protocol_sha256,
        experiments.prompt_sha256(arm.messages),
        arm.messages[-1].content,
        "script, at the endpoint “script” (scripted answers",
        "stop at 400 labelled runs",
        "Each arm ends after 800 runs at the latest",
        "at most 6",
        "words of the answer",
        url("test-file", running, "protocol.json"),
    ):
        assert escape(expected) in page
    for name, value in (("temperature", "0.8"), ("top_k", "40"), ("context length, tokens", "2048")):
        assert f'{name} <bdi dir="ltr">{value}</bdi>' in page


def test_sentences_that_say_nothing_are_left_out(client: Client, running: CaseTest, owner: User) -> None:
    idle = (
        "No run beyond the counted ones was finished.",
        "Every counted run has a label",
        "No answer was a refusal",
    )
    page = read(client, owner, url("test-detail", running))
    assert not [sentence for sentence in idle if sentence in page]
    sealed = run_to_seal(add_draft_test(add_case(owner), name="other"))
    page = read(client, owner, url("test-detail", sealed))
    assert not [sentence for sentence in idle if sentence in page]


def test_runs_beyond_the_stop_are_said_once_the_result_is_sealed(client: Client, owner: User) -> None:
    sealed = run_to_seal(add_draft_test(add_case(owner), runs=12, latency_seconds="0.002"))
    document = sealed.experiment.latest_result().document["arms"][0]
    more = document["all_completed"]["runs"] - document["runs"]
    page = read(client, owner, url("test-detail", sealed))
    assert ("when the count stopped" in page) == (more > 0)


def test_latest_answers_name_their_run_and_arm(client: Client, running: CaseTest, owner: User) -> None:
    page = read(client, owner, url("test-detail", running))
    last = stored(running).runs.counted().order_by("-pk")[0]
    assert f'run {last.index} · <bdi dir="ltr">as recorded' in page


def test_a_test_says_what_it_waits_for_and_names_it_to_its_team_only(
    client: Client, running: CaseTest, owner: User, stranger: User
) -> None:
    rival = stored(running)
    assert claim_chunk(rival, rival.arms.get(), Zone.COUNTED, owner="another", slots=1)
    for user, sees_it in ((owner, True), (stranger, False)):
        case = add_case(user)
        waiting = experiments.add_test(case, operator=user.username, endpoint=Endpoint.objects.get())
        experiments.lock_and_run(waiting, by=user.username)
        page = read(client, user, url("test-detail", waiting))
        assert "waits for another test on this endpoint" in page
        assert (url("test-detail", running) in page) == sees_it


def test_the_figure_of_answers_and_its_text_agree(client: Client, owner: User) -> None:
    answers = [{"text": f"That is right, number {n}.", "share": "0.04"} for n in range(25)]
    sealed = run_to_seal(add_draft_test(add_case(owner), runs=300, distribution=answers))
    page = read(client, owner, url("test-detail", sealed))
    assert "25 different answers were given; the figure shows the 8 most frequent" in page
    assert "the list beneath the 20 most frequent." in page
    answers_list = page[page.index("The list of answers") :]
    assert answers_list.count('<th scope="row" class="cb-num">') == 20


def test_counted_runs_come_first_and_what_does_not_count_is_apart(
    client: Client, draft: CaseTest, owner: User
) -> None:
    run_batch(experiments.try_out(draft, 3), "worker")
    experiments.save_draft(
        draft,
        {**draft.experiment.draft, "stopping": {"kind": "fixed", "runs": 10}},
        seen_sha256=experiments.draft_sha256(draft.experiment.draft),
    )
    sealed = run_to_seal(draft)
    page = read(client, owner, url("run-list", sealed))
    headings = ("Counted runs", "Seeds made a second time", "Made before the protocol was locked")
    places = [page.index(heading) for heading in headings]
    assert places == sorted(places)
    client.force_login(owner)
    zones = [run.zone for run in client.get(url("run-list", sealed)).context["page"]]
    assert zones == sorted(zones, key=["counted", "audit", "exploratory"].index)
    late = stored(sealed).runs.counted().filter(index__gte=10).count()
    assert page.count("after the stop, not counted") == late


def test_a_reason_of_the_engine_is_told_in_russian(client: Client, running: CaseTest, owner: User) -> None:
    Endpoint.objects.update(is_enabled=False)
    work_on(stored(running), "worker")
    assert stored(running).state == "paused"
    client.cookies["django_language"] = "ru"
    assert "Подключение «script» отключено." in read(client, owner, url("test-detail", running))


def test_numbers_are_grouped_as_the_language_does(client: Client, owner: User) -> None:
    test = add_draft_test(add_case(owner), runs=12_345)
    experiments.lock_and_run(test, by="owner")
    assert "0 of 12,345 labelled runs" in read(client, owner, url("test-detail", test))
    client.cookies["django_language"] = "ru"
    assert "0 из 12\u202f345" in read(client, owner, url("test-detail", test))


@pytest.mark.parametrize(
    ("language", "heading", "unshown"),
    [
        ("en", "Differences between arms", "that is not proof that there is none"),
        ("ru", "Различия между условиями", "это не доказывает, что его нет"),
    ],
)
def test_a_sealed_test_tells_how_its_arms_differ_and_how_varied_its_answers_are(
    client: Client, owner: User, language: str, heading: str, unshown: str
) -> None:
    draft = add_draft_test(add_case(owner), runs=20)
    values = {**draft.experiment.draft, "temperatures": ["0.4", "1.2"]}
    assert experiments.save_draft(draft, values, seen_sha256=experiments.draft_sha256(draft.experiment.draft))
    sealed = run_to_seal(CaseTest.objects.get(pk=draft.pk))
    document = sealed.experiment.latest_result().document
    client.cookies["django_language"] = language
    page = read(client, owner, url("test-detail", sealed))
    assert heading in page
    found = client.get(url("test-detail", sealed)).context
    for comparison in found["differences"].comparisons:
        assert all(escape(sentence) in page for sentence in comparison.sentences)
    assert len(found["differences"].comparisons) == len(document["comparisons"]) == 2
    assert page.count(unshown) == sum(unshown in c.sentences[0] for c in found["differences"].comparisons) > 0
    for arm in found["arms"]:
        assert all(escape(sentence) in page for sentence in (arm.view.drift, *arm.view.variety))


def test_a_running_test_tells_neither_differences_nor_variety_nor_drift(
    client: Client, running: CaseTest, owner: User
) -> None:
    page = read(client, owner, url("test-detail", running))
    assert "Differences between arms" not in page
    assert "equally frequent" not in page
    assert "half had" not in page


def test_a_paused_test_says_what_becomes_of_the_calls_on_their_way(
    client: Client, running: CaseTest, owner: User
) -> None:
    said = "Calls that were on their way when the test was paused finish and are kept."
    assert said not in read(client, owner, url("test-live", running))
    client.post(url("test-steer", running), {"action": "pause"})
    assert said in read(client, owner, url("test-live", running))
