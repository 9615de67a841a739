"""HTML to PDF/A-3a: the only module that imports WeasyPrint. Import it where a PDF is made, not at start-up.

The same HTML and attachments give the same bytes on every machine with the same versions: only vendored fonts are
known, nothing is fetched, every date and identifier is given by the caller.
"""

from __future__ import annotations

import hashlib
import mimetypes
import os
import tempfile
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.contrib.staticfiles import finders
from PIL import ImageFile

with warnings.catch_warnings():
    # A machine without any font is fine: ours are vendored.
    warnings.filterwarnings("ignore", message=".*[Ee]xpect ugly output", category=UserWarning)
    import weasyprint
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

# WeasyPrint tells Pillow, for the whole process, to accept images that were cut off; uploads must stay refused.
ImageFile.LOAD_TRUNCATED_IMAGES = False

PDF_VARIANT = "pdf/a-3a"
BASE_URL = (
    "https://static.invalid/"  # a name that never resolves: what a document may name lies in our static files
)
SERVED_SUFFIXES = (".css", ".ttf", ".svg", ".png")
SVG = "{http://www.w3.org/2000/svg}"

# fontconfig reads its configuration when it is created; with this one it knows no font of the machine, so that a
# character is never drawn with whatever happens to be installed.
_NO_FONTS = '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig/>\n'
_environment_lock = threading.Lock()


class PdfError(Exception):
    """The document could not be made; the message is for people."""


@dataclass(frozen=True, kw_only=True)
class PdfAttachment:
    """A file inside the PDF; `relationship` is PDF/A-3's AFRelationship: `Data`, `Source`, …"""

    name: str
    content: bytes
    description: str
    relationship: str


@dataclass(frozen=True, kw_only=True)
class RenderedPdf:
    content: bytes
    pages: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def render_pdf(
    html: str, *, attachments: Sequence[PdfAttachment] = (), identifier: str, dated: datetime
) -> RenderedPdf:
    """Lay `html` out as PDF/A-3a with `attachments`; title, author, language and dates come from its head.

    `identifier` becomes the file's identifier and `dated` the date of the attachments: both must follow from the
    content, or rendering it again gives other bytes. Raises `PdfError`.
    """
    try:
        with _only_vendored_fonts() as fonts, warnings.catch_warnings():
            # WeasyPrint 70.0 leaves the file of its colour profile to the garbage collector.
            warnings.simplefilter("ignore", ResourceWarning)
            document = weasyprint.HTML(string=html, base_url=BASE_URL, url_fetcher=StaticFetcher())
            _merge_descriptions(document.etree_element)
            _move_spaces(document.etree_element)
            pages = document.render(font_config=fonts, pdf_variant=PDF_VARIANT, optimize_images=False)
            content = pages.write_pdf(
                pdf_variant=PDF_VARIANT,
                pdf_identifier=identifier.encode("ascii"),
                # A name tree is sorted by name.
                attachments=[
                    _attach(item, dated) for item in sorted(attachments, key=lambda item: item.name)
                ],
                finisher=_finish,
            )
    except FatalURLFetchingError as error:
        raise PdfError(f"The report names something outside its own files: {error}") from error
    return RenderedPdf(content=content, pages=len(pages.pages))


class StaticFetcher(URLFetcher):  # type: ignore[misc]
    """Gives out our own style sheets, fonts and images. Whatever else is asked for ends the rendering."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols=(), allow_redirects=False, fail_on_errors=True)

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        path = _find_static_file(url)
        if path is None:
            raise PdfError(f"refused: {url[:200]}")
        media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": media_type})


def _find_static_file(url: str) -> Path | None:
    if not url.startswith(BASE_URL):
        return None
    name = unquote(urlsplit(url).path).lstrip("/")
    if ".." in name or not name.endswith(SERVED_SUFFIXES):
        return None
    found = finders.find(name)
    return Path(found) if found else None


@contextmanager
def _only_vendored_fonts() -> Iterator[FontConfiguration]:
    """A font configuration that starts empty: what `@font-face` names is all there is."""
    with tempfile.TemporaryDirectory(prefix="casebook-fonts-") as folder, _environment_lock:
        file = Path(folder, "fonts.conf")
        file.write_text(_NO_FONTS, encoding="utf-8")
        before = os.environ.get("FONTCONFIG_FILE")
        os.environ["FONTCONFIG_FILE"] = str(file)
        try:
            configuration = FontConfiguration()
        finally:
            if before is None:
                del os.environ["FONTCONFIG_FILE"]
            else:
                os.environ["FONTCONFIG_FILE"] = before
    yield configuration


def _merge_descriptions(root: Any) -> None:
    """WeasyPrint takes a figure's alternative text from its title alone; the numbers are in its description."""
    for drawing in root.iter(f"{SVG}svg"):
        title, description = drawing.find(f"{SVG}title"), drawing.find(f"{SVG}desc")
        if title is not None and description is not None and description.text:
            title.text = f"{(title.text or '').rstrip('.')}. {description.text}"


def _move_spaces(root: Any) -> None:
    """Move a space before an inline element into it.

    WeasyPrint 70.0 breaks a line after its first word when the text before an inline element fills the line up to
    its closing space (`split_first_line` measures that space, Pango does not).
    """
    for parent in root.iter():
        before = None
        for child in parent:
            text = parent.text if before is None else before.tail
            if _is_inline(child) and child.text and text and text[-1:].isspace() and text.strip():
                child.text = " " + child.text
                if before is None:
                    parent.text = text.rstrip()
                else:
                    before.tail = text.rstrip()
            before = child


def _is_inline(element: Any) -> bool:
    return element.tag in ("cite", "em") or element.get("class") == "mono"


def _attach(item: PdfAttachment, dated: datetime) -> weasyprint.Attachment:
    moment = dated.astimezone(UTC)
    return weasyprint.Attachment(
        string=item.content,
        name=item.name,
        description=item.description,
        created=moment,
        modified=moment,
        relationship=item.relationship,
    )


def _finish(_document: Any, pdf: Any) -> None:
    """Name every attachment once: WeasyPrint 70.0 lists those from the name tree a second time."""
    associated = pdf.catalog.get("AF")
    if associated:
        unique = list(dict.fromkeys(associated))
        associated.clear()
        associated.extend(unique)
