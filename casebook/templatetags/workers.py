"""Whether a worker serves a queue, for every page whose work would otherwise wait in silence."""

from __future__ import annotations

from django import template

from ensemble.models import WorkerPulse

register = template.Library()


@register.inclusion_tag("casebook/_worker_notice.html")
def worker_notice(queue: str) -> dict[str, object]:
    """A notice with the remedy when no worker serves `queue` ("runs", "exploratory", "reports"); else nothing."""
    return {"is_missing": not WorkerPulse.is_alive(queue), "queue": queue}
