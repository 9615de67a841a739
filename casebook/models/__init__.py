"""What the web application keeps in the database."""

from __future__ import annotations

from casebook.models.appraisals import Appraisal
from casebook.models.cases import Case, Incident, Membership
from casebook.models.exhibits import Exhibit
from casebook.models.measurements import CaseTest
from casebook.models.proposals import Proposal, ProposalRequest
from casebook.models.reports import Report

__all__ = [
    "Appraisal",
    "Case",
    "CaseTest",
    "Exhibit",
    "Incident",
    "Membership",
    "Proposal",
    "ProposalRequest",
    "Report",
]
