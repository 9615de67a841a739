"""The PDF itself: PDF/A-3a, tagged, fonts, attachments, the same bytes every time, nothing fetched."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pikepdf
import pytest

from casebook import pdf
from casebook.pdf import PdfAttachment, PdfError, RenderedPdf, StaticFetcher, render_pdf
from casebook.reporting.rendering import render_context
from casebook.visible import find_covered_characters, show_text
from tests.casebook.report_examples import make_context, make_russian_context

ROOT = Path(__file__).resolve().parent.parent.parent
DATED = datetime(2026, 5, 12, 14, 5, tzinfo=UTC)
CONTEXT = make_context("deterministic")


@pytest.fixture(scope="module")
def rendered() -> RenderedPdf:
    return render_context(CONTEXT)


@pytest.fixture(scope="module")
def document(rendered: RenderedPdf) -> Any:
    return pikepdf.open(io.BytesIO(rendered.content))


def render_small(body: str, **changes: Any) -> RenderedPdf:
    head = '<meta charset="utf-8"><title>t</title><link rel="stylesheet" href="css/report.css">'
    values: dict[str, Any] = {"identifier": "0" * 32, "dated": DATED, **changes}
    return render_pdf(
        f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{body}</body></html>', **values
    )


def list_elements(node: Any) -> list[Any]:
    """The structure elements below `node`, in reading order."""
    if isinstance(node, pikepdf.Array):
        return [element for kid in node for element in list_elements(kid)]
    if not isinstance(node, pikepdf.Dictionary) or "/S" not in node:
        return []
    return [node, *(list_elements(node.K) if "/K" in node else [])]


def test_it_says_that_it_is_pdf_a_3a(document: Any) -> None:
    metadata = ElementTree.fromstring(document.Root.Metadata.read_bytes())
    namespace = "{http://www.aiim.org/pdfa/ns/id/}"
    found = {key: value for element in metadata.iter() for key, value in element.attrib.items()}
    assert (found[f"{namespace}part"], found[f"{namespace}conformance"]) == ("3", "A")
    intent = document.Root.OutputIntents[0]
    assert intent.S == "/GTS_PDFA1"
    assert intent.DestOutputProfile.N == 3


def test_title_language_author_and_dates_come_from_the_result(document: Any) -> None:
    info = document.docinfo
    assert str(info["/Title"]) == "Refund promised by a support assistant – Measurement report"
    assert str(info["/Author"]) == "Casebook"
    assert str(info["/CreationDate"]) == str(info["/ModDate"]) == "D:20260512140500Z"
    assert str(document.Root.Lang) == "en"
    assert document.Root.ViewerPreferences.DisplayDocTitle


def test_it_is_tagged_and_every_figure_has_an_alternative_text(document: Any) -> None:
    assert document.Root.MarkInfo.Marked
    elements = list_elements(document.Root.StructTreeRoot.K)
    kinds = Counter(str(element.S) for element in elements)
    assert kinds["/H1"] == 1
    assert kinds["/H2"] >= 11
    assert kinds["/Table"] > 5
    alternatives = [str(element.Alt) for element in elements if element.S == "/Figure"]
    assert len(alternatives) == kinds["/Figure"] >= 2
    assert any("Of 22 runs: error: 20" in text for text in alternatives)


def test_every_section_has_its_bookmark(document: Any) -> None:
    with document.open_outline() as outline:
        (root,) = outline.root
        titles = [item.title for item in root.children]
    assert root.title == "Refund promised by a support assistant"
    assert titles[0] == "1. The incident and the disputed exchange"
    assert titles[-1] == "11. List of runs"


def test_every_font_is_ours_embedded_and_can_be_read_out(document: Any) -> None:
    fonts = [
        font
        for font in document.objects
        if isinstance(font, pikepdf.Dictionary) and font.get("/Type") == "/Font"
    ]
    composite = [font for font in fonts if font.Subtype == "/Type0"]
    assert composite
    for font in composite:
        assert "+Casebook-" in str(font.BaseFont)
        assert font.Encoding == "/Identity-H"  # another encoding would hide glyphs that are missing
        assert font.ToUnicode.read_bytes()
        assert "/FontFile2" in font.DescendantFonts[0].FontDescriptor


def test_result_and_protocol_are_attached_byte_for_byte(document: Any) -> None:
    assert document.attachments["result.json"].get_file().read_bytes() == CONTEXT.result_json.encode()
    assert document.attachments["protocol.json"].get_file().read_bytes() == CONTEXT.protocol_json.encode()
    named = {str(file.UF): str(file.AFRelationship) for file in document.Root.AF}
    assert named == {"result.json": "/Data", "protocol.json": "/Source"}
    assert len(document.Root.AF) == 2
    names = [str(name) for name in document.Root.Names.EmbeddedFiles.Names[::2]]
    assert names == sorted(names)


def test_the_attached_protocol_has_the_hash_on_page_one(document: Any) -> None:
    attached = document.attachments["protocol.json"].get_file().read_bytes()
    assert hashlib.sha256(attached).hexdigest() == CONTEXT.result["protocol_sha256"]


def test_rendering_again_gives_the_same_bytes_also_elsewhere_and_at_another_time(
    rendered: RenderedPdf,
) -> None:
    """Another process, hash seed, time zone and locale, and a clock that has gone on."""
    program = (
        "import django; django.setup()\n"
        "from casebook.reporting.rendering import render_context\n"
        "from tests.casebook.report_examples import make_context\n"
        "print(render_context(make_context('deterministic')).sha256)"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "casebook.settings",
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
        "PYTHONHASHSEED": "7",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == rendered.sha256


def test_a_russian_report_is_in_russian_with_the_same_fonts() -> None:
    found = pikepdf.open(io.BytesIO(render_context(make_russian_context(shape="deterministic")).content))
    assert str(found.Root.Lang) == "ru"
    assert str(found.docinfo["/Title"]).startswith("Возврат, обещанный помощником")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "https://example.org/x.png",
        "http://127.0.0.1/x.css",
        "data:image/svg+xml;base64,PHN2Zy8+",
        f"{pdf.BASE_URL}../manage.py",
        f"{pdf.BASE_URL}css/../../casebook/settings.py",
        f"{pdf.BASE_URL}css/%2e%2e/%2e%2e/var/secret-key",
        f"{pdf.BASE_URL}vendor/MANIFEST.md",
        f"{pdf.BASE_URL}css/nothing.css",
        f"{pdf.BASE_URL}/etc/passwd.css",
    ],
)
def test_nothing_but_our_static_files_is_given_out(url: str) -> None:
    with pytest.raises(PdfError):
        StaticFetcher().fetch(url)


def test_our_style_sheet_is_given_out() -> None:
    response = StaticFetcher().fetch(f"{pdf.BASE_URL}css/report.css")
    assert response.read() == (ROOT / "static" / "css" / "report.css").read_bytes()


@pytest.mark.parametrize("source", ["file:///etc/hostname", "https://example.org/pixel.png", "../manage.py"])
def test_a_document_that_names_anything_else_is_not_rendered(source: str) -> None:
    with pytest.raises(PdfError):
        render_small(f'<p>a</p><img alt="a" src="{source}">')


def test_fonts_of_the_machine_stay_unknown_while_a_report_is_rendered() -> None:
    before = dict(os.environ)
    content = render_small('<p style="font-family: DejaVu Serif, Liberation Sans, serif">abc</p>').content
    found = pikepdf.open(io.BytesIO(content))
    names = {str(f.BaseFont) for f in found.objects if isinstance(f, pikepdf.Dictionary) and "/BaseFont" in f}
    assert names
    assert all("Casebook" in name for name in names)
    assert dict(os.environ) == before


def test_no_character_that_we_print_lacks_a_glyph() -> None:
    every = "".join(chr(code) for code in sorted(find_covered_characters()) if code >= 32)
    for face in ("Casebook Serif", "Casebook Mono"):
        body = f'<p style="font-family: {face}, Casebook Fallback">{show_text(every)}</p>'
        found = pikepdf.open(io.BytesIO(render_small(body).content))
        fonts = [
            f for f in found.objects if isinstance(f, pikepdf.Dictionary) and f.get("/Subtype") == "/Type0"
        ]
        assert {str(font.Encoding) for font in fonts} == {"/Identity-H"}


def test_a_line_does_not_break_after_its_first_word() -> None:
    """A paragraph that WeasyPrint 70.0 sets wrongly at the smaller of these widths: see `_move_spaces`."""
    text = (
        "The report shows the case file as it stood after its last recorded change, on 12 May 2026, 15:30:00 UTC. "
        'The file <span class="mono">result.json</span> attached to this PDF holds every number printed here, and more.'
    )
    boxes = []
    for width in (160, 161):
        body = f'<p class="key" style="width: {width}mm">{text}</p>'
        found = pikepdf.open(io.BytesIO(render_small(body).content))
        boxes.append(found.pages[0].Contents.read_bytes().count(b"BT"))
    assert boxes[0] == boxes[1]


def test_attachments_keep_any_bytes() -> None:
    item = PdfAttachment(name="x.json", content=bytes(range(256)), description="d", relationship="Data")
    found = pikepdf.open(io.BytesIO(render_small("<p>a</p>", attachments=[item]).content))
    assert found.attachments["x.json"].get_file().read_bytes() == bytes(range(256))
