"""Requests that an unforeseen error ended are failed for good: no sweep begins them again."""

from __future__ import annotations

import pytest

from ensemble import exploring
from ensemble.models import Experiment, ExploratoryBatch
from ensemble.sweeping import find_unfinished
from tests.ensemble.experiments import add_scripted_endpoint, make_protocol

pytestmark = pytest.mark.django_db


def test_an_unforeseen_error_is_told_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = Experiment.objects.create(title="A test", operator="owner")
    batch = exploring.request_runs(experiment, make_protocol(add_scripted_endpoint()), 3)
    assert find_unfinished().batches == (batch.pk,)

    def break_down(*_: object) -> list[int]:
        raise RuntimeError("a fault of our own")

    monkeypatch.setattr(exploring, "wait_for_slots", break_down)
    with pytest.raises(RuntimeError):
        exploring.run_batch(batch, "worker")
    batch.refresh_from_db()
    assert (batch.is_open, batch.state) == (False, ExploratoryBatch.State.FAILED)
    assert "RuntimeError" in batch.message
    assert find_unfinished().batches == ()


def test_a_request_is_claimed_by_one_worker_only() -> None:
    experiment = Experiment.objects.create(title="A test", operator="owner")
    batch = exploring.request_runs(experiment, make_protocol(add_scripted_endpoint()), 3)
    later = batch.leased_until.replace(year=batch.leased_until.year + 1)
    assert ExploratoryBatch.claim(batch.pk, "first", until=later)
    assert not ExploratoryBatch.claim(batch.pk, "second", until=later)
