"""What the web application keeps in the database."""

from __future__ import annotations

from casebook.models.cases import Case, Incident, Membership
from casebook.models.exhibits import Exhibit
from casebook.models.measurements import CaseTest
from casebook.models.reports import Report

__all__ = ["Case", "CaseTest", "Exhibit", "Incident", "Membership", "Report"]
