"""What the engine keeps in the database."""

from __future__ import annotations

from ensemble.models.endpoints import Endpoint, Slot, WorkerPulse
from ensemble.models.experiments import (
    ArmProgress,
    Chunk,
    Experiment,
    ExploratoryBatch,
    ProtocolText,
    SealedResult,
)
from ensemble.models.records import LedgerEntry, Run, Zone
from ensemble.models.requests import RequestedWork

__all__ = [
    "ArmProgress",
    "Chunk",
    "Endpoint",
    "Experiment",
    "ExploratoryBatch",
    "LedgerEntry",
    "ProtocolText",
    "RequestedWork",
    "Run",
    "SealedResult",
    "Slot",
    "WorkerPulse",
    "Zone",
]
