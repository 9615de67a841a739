"""Files that are to become exhibits."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.functional import lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from casebook.forms.fields import ManyFilesField, PlainTextField
from casebook.uploads import MAX_FILES, InspectedUpload, UploadError, accepted_suffixes, inspect_upload


def _describe_limits() -> str:
    limits = {"most": MAX_FILES, "size": filesizeformat(settings.EXHIBIT_MAX_BYTES)}
    return (
        gettext("PNG, JPEG, GIF, WebP, PDF, plain text or JSON; up to %(most)s files of %(size)s each.")
        % limits
    )


# Asked for again for every visitor, in the language of each.
LIMITS = lazy(_describe_limits, str)()


class ExhibitFilesField(ManyFilesField):
    """Files whose type was found out from their bytes; cleans to a list of inspected uploads."""

    def __init__(self, **options: Any) -> None:
        super().__init__(help_text=LIMITS, **options)
        self.widget.attrs["accept"] = ",".join(accepted_suffixes())

    def clean(self, data: Any, initial: Any = None) -> list[InspectedUpload]:
        files = super().clean(data, initial)
        if len(files) > MAX_FILES:
            message = ngettext("At most %(most)s file at once.", "At most %(most)s files at once.", MAX_FILES)
            raise ValidationError(message % {"most": MAX_FILES})
        uploads, problems = [], []
        for file in files:
            try:
                uploads.append(inspect_upload(file))
            except UploadError as error:
                problems.append(str(error))
        if problems:
            raise ValidationError(problems)
        self._refuse_twins(uploads)
        return uploads

    def _refuse_twins(self, uploads: list[InspectedUpload]) -> None:
        seen: dict[str, str] = {}
        for upload in uploads:
            if upload.sha256 in seen:
                message = _(
                    "“%(first)s” and “%(second)s” are the same file, byte for byte. Attach it only once."
                )
                names = {"first": seen[upload.sha256], "second": upload.name}
                raise ValidationError(message, params=names)
            seen[upload.sha256] = upload.name


class AddExhibitsForm(forms.Form):
    attachments = ExhibitFilesField(label=_("Files"))
    description = PlainTextField(
        label=_("Description"),
        max_length=300,
        required=False,
        help_text=_("What it shows and how it was obtained. Applies to every file of this upload."),
    )
