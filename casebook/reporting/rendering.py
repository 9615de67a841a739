"""From the frozen context to HTML and PDF: the same context gives the same bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from casebook.reporting.context import ReportContext
from casebook.reporting.view import build_view
from casebook.visible import write_plain
from ensemble.protocol import sha256_hex

if TYPE_CHECKING:
    from casebook.pdf import RenderedPdf

AUTHOR = "Casebook"


def write_html(context: ReportContext) -> str:
    """The report as one HTML document in the context's language."""
    with translation.override(context.language):
        title = f"{write_plain(context.case.title)} – {gettext('Measurement report')}"
        values = {
            "view": build_view(context),
            "document_title": title,
            "author": AUTHOR,
            "dated": f"{context.created_at:%Y-%m-%dT%H:%M:%SZ}",
        }
        return render_to_string("casebook/report/report.html", values)


def render_context(context: ReportContext) -> RenderedPdf:
    """The report as PDF with the result and the protocol attached. Raises `PdfError`."""
    from casebook.pdf import PdfAttachment, render_pdf  # WeasyPrint: only where a report is rendered

    html = write_html(context)
    with translation.override(context.language):
        attachments = (
            PdfAttachment(
                name="result.json",
                content=context.result_json.encode("utf-8"),
                description=gettext("The sealed result: every number of this report"),
                relationship="Data",
            ),
            PdfAttachment(
                name="protocol.json",
                content=context.protocol_json.encode("utf-8"),
                description=gettext("The locked protocol; its SHA-256 is the protocol hash"),
                relationship="Source",
            ),
        )
    identifier = sha256_hex(json.dumps(context.document(), sort_keys=True).encode("ascii"))[:32]
    return render_pdf(html, attachments=attachments, identifier=identifier, dated=context.created_at)
