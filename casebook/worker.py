"""What workers sweep for besides tests, and whom turns of work on tests let go first; imported by workers only."""

from __future__ import annotations

from casebook.proposals import waits_for
from casebook.tasks import sweep_proposals, sweep_reports
from ensemble.runner import precedence
from ensemble.worker import sweeps

sweeps["reports"] = sweep_reports
sweeps["exploratory"] = sweep_proposals
precedence.append(waits_for)
