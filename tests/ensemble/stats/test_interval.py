from __future__ import annotations

import dataclasses
import json
import pkgutil
import subprocess
import sys

import pytest

import ensemble.stats
from ensemble.stats import Interval, Note


def make_interval(**changes):
    given = {"estimate": 0.1, "low": 0.0, "high": 0.3, "level": 0.95, "method": "x", "errors": 1, "runs": 10}
    return Interval(**{**given, **changes})


def test_an_interval_is_frozen_comparable_and_serialisable():
    interval = make_interval(notes=(Note.NO_RUNS,))
    assert interval == make_interval(notes=("no labelled runs",))
    assert json.loads(json.dumps(dataclasses.asdict(interval)))["notes"] == ["no labelled runs"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        interval.low = 0.2
    with pytest.raises(TypeError):
        Interval(0.1, 0.0, 0.3, 0.95, "x", 1, 10)


def test_an_interval_knows_its_half_width_and_its_members():
    interval = make_interval()
    assert interval.half_width == pytest.approx(0.15)
    assert interval.contains(0.0)
    assert interval.contains(0.3)
    assert not interval.contains(0.31)


@pytest.mark.parametrize("changes", [{"low": 0.4}, {"low": float("nan")}, {"high": float("nan")}])
def test_an_interval_upside_down_or_without_numbers_is_refused(changes):
    with pytest.raises(ValueError, match=r"^low: "):
        make_interval(**changes)


def test_a_missing_estimate_is_none_and_never_nan():
    assert make_interval(estimate=None).estimate is None
    with pytest.raises(ValueError, match=r"^estimate: "):
        make_interval(estimate=float("nan"))


def test_no_module_of_the_package_bears_the_name_of_a_function():
    """Python would put the module in the function's place as soon as anything imports it."""
    modules = {module.name for module in pkgutil.iter_modules(ensemble.stats.__path__)}
    assert not modules & set(ensemble.stats.__all__)


def test_every_public_name_is_there():
    for name in ensemble.stats.__all__:
        assert getattr(ensemble.stats, name) is not None
    assert dir(ensemble.stats) == ensemble.stats.__all__
    with pytest.raises(AttributeError, match="no attribute 'mean'"):
        _ = ensemble.stats.mean


def test_the_interval_alone_costs_no_numerical_library():
    script = "import sys, ensemble.stats.interval; assert not {'numpy', 'scipy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
