"""What workers of the reports queue sweep for; imported by workers only."""

from __future__ import annotations

from casebook.tasks import sweep_reports
from ensemble.worker import sweeps

sweeps["reports"] = sweep_reports
