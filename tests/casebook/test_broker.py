from __future__ import annotations

import logging
from typing import Any

import pytest
from django.contrib.auth.models import User
from kombu.exceptions import OperationalError

from casebook import experiments
from ensemble import tasks
from ensemble.models import Experiment
from ensemble.sweeping import find_unfinished
from tests.casebook.cases_for_tests import add_case, add_draft_test


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_loses_nothing(
    owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: Any) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.work_on_experiment, "delay", refuse)
    test = add_draft_test(add_case(owner))
    with caplog.at_level(logging.ERROR, logger="django.db.backends.base"):
        experiments.lock_and_run(test, by="owner")
    assert Experiment.objects.get(pk=test.experiment_id).state == "locked"
    assert find_unfinished().experiments == (test.experiment_id,)
    assert "no broker" in caplog.text
