"""Files that leave the application: always as attachments that no browser interprets."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.http import content_disposition_header


def download(data: bytes, name: str, media_type: str) -> HttpResponse:
    """`data` as an attachment under `name`."""
    return HttpResponse(
        data,
        content_type=media_type,
        headers={
            "Content-Disposition": content_disposition_header(True, name),
            "X-Content-Type-Options": "nosniff",
        },
    )
