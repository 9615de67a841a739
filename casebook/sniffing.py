"""What a file is, from its bytes alone: signatures of the accepted types, of known others, and of files in disguise."""

from __future__ import annotations

import re

_SIGNATURES = (
    ("image/png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("image/jpeg", re.compile(rb"\xff\xd8\xff")),
    ("image/gif", re.compile(rb"GIF8[79]a")),
    ("image/webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("application/pdf", re.compile(rb"%PDF-\d\.\d")),
)
# Types that people often try, by what can be done about it.
_FOREIGN_SIGNATURES = (
    ("picture", re.compile(rb"....ftyp(?:heic|heix|hevc|heim|heis|mif1|msf1|avif|avis)", re.DOTALL)),
    ("picture", re.compile(rb"BM....\0\0\0\0|II\x2a\0|MM\0\x2a|\0\0\x01\0", re.DOTALL)),
    (
        "recording",
        re.compile(
            rb"....ftyp|\x1aE\xdf\xa3|RIFF....(?:AVI |WAVE)|OggS|ID3|fLaC|\xff[\xfb\xf3\xf2]", re.DOTALL
        ),
    ),
    (
        "document",
        re.compile(
            rb"PK\x03\x04.{26}(?:\[Content_Types\]|mimetype|_rels/)|\xd0\xcf\x11\xe0|\{\\rtf|%!PS", re.DOTALL
        ),
    ),
    ("archive", re.compile(rb"PK\x03\x04|PK\x05\x06|7z\xbc\xaf|Rar!|\x1f\x8b|BZh|\xfd7zXZ|\x28\xb5\x2f\xfd")),
    ("program", re.compile(rb"MZ.{56}|\x7fELF|\xcf\xfa\xed\xfe|\xca\xfe\xba\xbe|#!", re.DOTALL)),
)

_BINARY_DISGUISE = re.compile(rb"<script|<html|<!doctype\s+html|<svg|<\?php", re.IGNORECASE)
_HEAD = 1024  # bytes; readers that search for a beginning (of PDF, of HTML) search this far
_ZIP_END, _ZIP_END_SIZE = b"PK\x05\x06", 22

_INVISIBLE = re.compile("[\\s\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")
_ELEMENTS = (
    "html|head|body|script|style|title|meta|link|base|iframe|frame|frameset|object|embed|applet|svg|math|img|image"
    "|video|audio|form|input|button|h[1-6]|div|span|p|a|b|br|font|table|template|marquee|foreignobject"
)
_MARKUP = re.compile(
    rf"<(?:!doctype|!--|!\[CDATA|\?xml|\?php|[\w.-]+:[\w.-]+|(?:{_ELEMENTS})[\s/>])", re.IGNORECASE
)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f]")


def sniff_binary_type(data: bytes) -> str:
    """The accepted binary type whose signature begins the bytes, or an empty text."""
    return next((name for name, signature in _SIGNATURES if signature.match(data)), "")


def sniff_foreign_kind(data: bytes) -> str:
    """`picture`, `recording`, `document`, `archive` or `program` for well-known types that are not accepted."""
    return next((kind for kind, signature in _FOREIGN_SIGNATURES if signature.match(data)), "")


def is_two_files_at_once(data: bytes) -> bool:
    """Whether bytes that begin like one type can be opened as another: HTML or PDF within the head, ZIP at the end."""
    head = data[:_HEAD]
    if _BINARY_DISGUISE.search(head) or b"%PDF-" in head[1:]:
        return True
    end = data.rfind(_ZIP_END, max(0, len(data) - 0xFFFF - _ZIP_END_SIZE))
    comment = int.from_bytes(data[end + 20 : end + _ZIP_END_SIZE], "little")
    return end >= 0 and end + _ZIP_END_SIZE + comment == len(data)


def is_whole_pdf(data: bytes) -> bool:
    """Whether the bytes end as a PDF does: readers look for its end within the last kilobyte."""
    return b"startxref" in data[-2048:] and b"%%EOF" in data[-1024:]


def decode_text(data: bytes) -> str | None:
    """Plain text in UTF-8, or in UTF-16 with a byte order mark; None if the bytes are no such text."""
    is_utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = data.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if _CONTROLS.search(text) else text


def begins_as_markup(text: str) -> bool:
    """Whether a text is HTML, SVG or other XML: a browser or an editor would take it for that."""
    start = _INVISIBLE.match(text)
    return bool(_MARKUP.match(text, start.end() if start else 0))


def hides_pdf(text: str) -> bool:
    return "%PDF-" in text[:_HEAD]
