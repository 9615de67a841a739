"""Taking files into evidence: numbered, hashed on arrival, kept as they came; all of a form's files or none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Max, Sum
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from casebook.models import Case, Exhibit
from casebook.uploads import InspectedUpload


class CustodyError(Exception):
    """Files that cannot be taken in; the message says why and what to do."""


def add_exhibits(
    case: Case, uploads: Sequence[InspectedUpload], *, description: str = "", received_from: Any
) -> list[Exhibit]:
    """Keep the files as the next exhibits of the case. Raises `CustodyError`, and then nothing is kept."""
    with transaction.atomic(), _discarding_files() as written:
        Case.objects.select_for_update().get(pk=case.pk)  # numbers and quota: one at a time
        _refuse_known_files(case, uploads)
        _refuse_above_quota(case, uploads)
        last = case.exhibits.aggregate(last=Max("number"))["last"] or 0
        exhibits = []
        for number, upload in enumerate(uploads, start=last + 1):
            exhibit = Exhibit(
                case=case,
                number=number,
                name=upload.name,
                description=description,
                media_type=upload.media_type,
                size=upload.size,
                sha256=upload.sha256,
                received_from=received_from,
            )
            exhibit.file.save(exhibit.name, upload.file, save=False)
            written.append(str(exhibit.file.name))
            exhibit.save()
            exhibits.append(exhibit)
    return exhibits


@contextmanager
def _discarding_files() -> Iterator[list[str]]:
    """A list of stored names whose files are removed again when the block does not succeed."""
    written: list[str] = []
    try:
        yield written
    except BaseException as error:
        for name in written:
            default_storage.delete(name)
        if isinstance(error, OSError):
            raise CustodyError(
                _("The files could not be stored: %(reason)s.") % {"reason": error.strerror}
            ) from error
        raise


def _refuse_known_files(case: Case, uploads: Sequence[InspectedUpload]) -> None:
    """The same bytes twice would count as two exhibits; a second click on “Add” ends here, too."""
    known = {exhibit.sha256: f"{exhibit.number}" for exhibit in case.exhibits.all()}
    for upload in uploads:
        if upload.sha256 in known:
            message = _("“%(name)s” is in evidence already, byte for byte: exhibit %(number)s.")
            raise CustodyError(message % {"name": upload.name, "number": known[upload.sha256]})


def _refuse_above_quota(case: Case, uploads: Sequence[InspectedUpload]) -> None:
    used = case.exhibits.aggregate(total=Sum("size"))["total"] or 0
    wanted = sum(upload.size for upload in uploads)
    if used + wanted > settings.CASE_QUOTA_BYTES:
        message = _(
            "The files of a case may take up to %(quota)s. Used so far: %(used)s; these files: %(wanted)s."
        )
        facts = {"quota": settings.CASE_QUOTA_BYTES, "used": used, "wanted": wanted}
        raise CustodyError(message % {name: filesizeformat(size) for name, size in facts.items()})


def remove_exhibit(exhibit: Exhibit) -> None:
    """Take an exhibit out of a case in which nothing was measured. Raises `CustodyError` afterwards.

    The other exhibits keep their numbers, and the number is not given again while a later one exists.
    """
    with transaction.atomic():
        case = Case.objects.select_for_update().get(pk=exhibit.case_id)
        if not case.is_draft():
            raise CustodyError(_("A test of this case has run: its exhibits stay on record."))
        name = str(exhibit.file.name)
        exhibit.delete()
        transaction.on_commit(lambda: default_storage.delete(name))
