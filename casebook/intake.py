"""How a case comes into being, is corrected, copied and, while nothing was measured, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.forms.models import model_to_dict
from django.utils import timezone

from casebook.custody import add_exhibits
from casebook.experiments import delete_draft
from casebook.models import Case, Incident, Membership
from casebook.uploads import InspectedUpload


class CaseChangedError(Exception):
    """Somebody saved the case after this form was opened."""


class CaseMeasuredError(Exception):
    """Something of this case was run: it stays on record."""


def log_incident(
    *,
    case: Case,
    incident: Incident,
    uploads: Sequence[InspectedUpload] = (),
    owner: Any,
) -> Case:
    """Save a new case with its first incident, its exhibits and `owner` as its team: everything or nothing.

    The form brings `case.public_id`: a second click on “Save” returns the case that the first one saved.
    """
    known = Case.objects.for_user(owner).filter(public_id=case.public_id)
    try:
        with transaction.atomic():
            if saved := known.first():
                return saved
            if Case.objects.filter(public_id=case.public_id).exists():
                case.public_id = uuid4()  # somebody else's case: this form gets an id of its own
            case.save(force_insert=True)
            case.memberships.create(user=owner, role=Membership.Role.OWNER)
            incident.case = case
            incident.save(force_insert=True)
            add_exhibits(case, uploads, received_from=owner)
    except IntegrityError:
        # The other click came in between, on a database whose transactions do not wait for one another.
        return known.get()
    return case


def update_incident(*, case: Case, incident: Incident, seen: datetime | None) -> None:
    """Save the case and its incident if nobody did since `seen`. Raises `CaseChangedError`."""
    with transaction.atomic():
        current = Case.objects.filter(pk=case.pk, updated_at=seen) if seen else Case.objects.none()
        if current.update(updated_at=timezone.now()) != 1:
            raise CaseChangedError
        incident.save()
        case.save(update_fields=["title", "summary", "updated_at"])


def copy_case(sample: Case, *, owner: Any, token: str = "") -> Case:
    """A case of `owner`'s own from a sample: text and background are taken over, so that its notice stays.

    `token` (a UUID) makes the copy once, however often it is asked for with the same one.
    """
    case = Case(
        public_id=_read_token(token),
        title=sample.title,
        summary=sample.summary,
        language=sample.language,
        background=sample.background,
        copied_from=sample.sample_key,
    )
    texts = model_to_dict(sample.incident(), exclude=["id", "case"])
    return log_incident(case=case, incident=Incident(**texts), owner=owner)


def delete_case(case: Case) -> None:
    """Delete a case in which nothing was measured, with its files. Raises `CaseMeasuredError`."""
    try:
        with transaction.atomic():
            held = Case.objects.select_for_update().get(pk=case.pk)
            for test in held.tests.select_related("experiment"):
                if not delete_draft(test):
                    raise CaseMeasuredError
            names = [str(exhibit.file.name) for exhibit in held.exhibits.all()]
            held.delete()
            transaction.on_commit(partial(_delete_files, names))
    except (ProtectedError, IntegrityError) as error:
        # A worker or a teammate was faster: there is a run, a ledger or a report now.
        raise CaseMeasuredError from error


def _delete_files(names: Sequence[str]) -> None:
    for name in names:
        default_storage.delete(name)


def _read_token(token: str) -> UUID:
    try:
        return UUID(token)
    except ValueError:
        return uuid4()
