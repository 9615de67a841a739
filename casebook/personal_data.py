"""Everything that this installation knows about a person, for that person (GDPR Art. 15 and 20)."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.forms.models import model_to_dict

from casebook.models import Appraisal, Exhibit, Membership, Proposal, ProposalRequest, Report
from casebook.models.appraisals import ANSWERS
from ensemble.models import Endpoint, Experiment

FORMAT = "casebook-personal-data/1"
Rows = list[dict[str, Any]]
SIGN_IN_FACTS = ("attempt_time", "ip_address", "user_agent")


def collect_personal_data(user: Any) -> dict[str, Any]:
    """The account, the cases of the person's teams with what was written there, and every trace of the person.

    Files are named with their hashes: they can be downloaded from their cases. Values are JSON's or dates.
    """
    return {
        "format": FORMAT,
        "account": {
            "username": user.get_username(),
            "email": user.email,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "date_joined": user.date_joined,
            "last_login": user.last_login,
            "is_staff": user.is_staff,
        },
        "cases": [_describe_case(membership) for membership in user.memberships.select_related("case")],
        "exhibits_received_from_me": _facts(
            Exhibit.objects.filter(received_from=user),
            ("case__public_id", "number", "name", "description", "sha256", "received_at"),
        ),
        "tests_operated_by_me": _facts(
            Experiment.objects.filter(operator=user.get_username()),
            ("public_id", "title", "state", "created_at", "protocol_sha256"),
        ),
        **_signed_by(user.get_username()),
        "reports_requested_by_me": _facts(
            Report.objects.filter(requested_by=user),
            ("public_id", "case__public_id", "language", "created_at"),
        ),
        "endpoints_opened_to_me": list(Endpoint.objects.filter(users=user).values_list("name", flat=True)),
        "sign_ins": _sign_ins(user.get_username()),
    }


def _signed_by(username: str) -> dict[str, Rows]:
    """What bears the person's name as text: paraphrases asked for and decided on, appraisals."""
    return {
        "paraphrases_requested_by_me": _facts(
            ProposalRequest.objects.filter(requested_by=username),
            ("test__case__public_id", "test__number", "proposed_by", "count", "created_at"),
        ),
        "paraphrases_decided_by_me": _facts(
            Proposal.objects.filter(decided_by=username),
            ("request__test__case__public_id", "request__test__number", "text", "decision"),
        ),
        "appraisals_signed_by_me": _facts(
            Appraisal.objects.filter(signed_by=username),
            ("test__case__public_id", "test__number", "version", "signed_at", *ANSWERS),
        ),
    }


def _describe_case(membership: Membership) -> dict[str, Any]:
    case = membership.case
    return {
        "public_id": case.public_id,
        "title": case.title,
        "summary": case.summary,
        "role": membership.role,
        "member_since": membership.added_at,
        "created_at": case.created_at,
        "incidents": [model_to_dict(incident, exclude=["id", "case"]) for incident in case.incidents.all()],
        "exhibits": _facts(
            case.exhibits.all(), ("number", "name", "description", "media_type", "size", "sha256")
        ),
    }


def _sign_ins(username: str) -> dict[str, Rows]:
    """What the throttling of log-ins remembers: times, addresses and browsers."""
    kinds = {"succeeded": AccessLog, "failed": AccessAttempt, "failure_log": AccessFailureLog}
    return {
        kind: _facts(model.objects.filter(username=username), SIGN_IN_FACTS) for kind, model in kinds.items()
    }


def _facts(rows: Any, fields: tuple[str, ...]) -> Rows:
    return list(rows.values(*fields))
