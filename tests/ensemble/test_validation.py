from __future__ import annotations

from decimal import Decimal

import pytest

from ensemble.models import Experiment
from ensemble.stats.designs import find_offered_plan
from ensemble.validation import MODES, validate

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("mode", MODES)
def test_the_pipeline_covers_a_known_share_in_every_mode(mode: str) -> None:
    """A small edition of `manage.py validate`. Of 25 intervals at 95 % eight or more miss once in 100,000 times."""
    lines = list(validate(25, [mode], [Decimal(0), Decimal("0.3"), Decimal(1)]))
    assert [line.share for line in lines] == [Decimal(0), Decimal("0.3"), Decimal(1)]
    certain, middle, sure = lines
    assert (certain.covered, sure.covered) == (25, 25)
    assert (
        len(set(Experiment.objects.values_list("protocol_sha256", flat=True))) == 75
    )  # each test has its own seeds
    assert middle.covered >= 18
    if mode == "fixed":
        assert {line.mean_runs for line in lines} == {50}
    elif mode == "precision":
        plan = find_offered_plan(0.1, 0.95)
        assert plan is not None
        assert certain.mean_runs == sure.mean_runs == pytest.approx(plan.expected_runs(0))
        assert middle.mean_runs == pytest.approx(plan.expected_runs(0.3), rel=0.1)
    else:
        assert (certain.less, sure.more, middle.less) == (25, 25, 0)
        assert middle.more >= 24
