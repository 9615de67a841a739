"""The notice that no worker is running, for every page whose work would otherwise wait in silence."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.template import Context, Template
from django.utils import timezone

from ensemble.models import WorkerPulse

pytestmark = pytest.mark.django_db


def show_notice(queue: str) -> str:
    return Template("{% load workers %}{% worker_notice queue %}").render(Context({"queue": queue})).strip()


def test_without_a_worker_it_names_the_remedy() -> None:
    assert "make run" in show_notice("runs")


def test_a_living_worker_of_the_queue_silences_it() -> None:
    WorkerPulse.objects.create(name="w", queues="runs,exploratory", seen_at=timezone.now())
    assert show_notice("runs") == show_notice("exploratory") == ""
    assert show_notice("reports")


def test_a_worker_that_fell_silent_does_not_count() -> None:
    WorkerPulse.objects.create(name="w", queues="runs", seen_at=timezone.now() - timedelta(minutes=2))
    assert show_notice("runs")
