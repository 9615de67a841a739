"""Files that people bring as evidence: what they are is found out from their bytes, never from a name or a browser.

A type is accepted when a decoder of that type reads the bytes. Everything else is refused with a sentence that says
what to do instead. The bytes themselves are never changed.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import unicodedata
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.template.defaultfilters import filesizeformat
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from PIL import Image, ImageOps

from casebook.sniffing import (
    begins_as_markup,
    decode_text,
    hides_pdf,
    is_two_files_at_once,
    is_whole_pdf,
    sniff_binary_type,
    sniff_foreign_kind,
)

MAX_FILES = 10
MAX_NAME_LENGTH = 120
MAX_PIXELS = 50_000_000  # a 48-megapixel photograph; decoded it takes 200 MB
PREVIEW_SIDE = 640  # pixels

# The first suffix is the usual one. Tables and notes are plain text under their own suffix.
SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "application/pdf": (".pdf",),
    "text/plain": (".txt", ".text", ".md", ".log", ".csv", ".tsv", ".jsonl"),
    "application/json": (".json",),
}
_PILLOW_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}
_ADVICE: Mapping[str, Promise] = {
    "picture": gettext_lazy(
        "It is a picture in a format that not everybody can open. Save it as PNG or JPEG."
    ),
    "recording": gettext_lazy(
        "Sound and video are not accepted. Add screenshots or a transcript, and keep the file."
    ),
    "document": gettext_lazy("Save the document as PDF and add that."),
    "archive": gettext_lazy("Unpack the archive and add the files one by one."),
    "program": gettext_lazy("Programs are not accepted."),
    "": gettext_lazy(
        "Accepted types: PNG, JPEG, GIF, WebP, PDF, plain text in UTF-8 and JSON. Save or print the file "
        "as PDF."
    ),
}
_SUFFIX = re.compile(r"\.(?=[0-9]*[a-z])[a-z0-9]{1,8}\Z", re.IGNORECASE)  # ".05" is the end of a time
_RESERVED = re.compile(r'[<>:"|?*]')

# A picture that claims too many pixels is an error, in whatever thread it is opened, and never a line on a console.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


class UploadError(ValueError):
    """A file that cannot be taken in; the message says why and what to do, in the reader's language."""


@dataclass(frozen=True, kw_only=True)
class InspectedUpload:
    """A file whose type was read from its bytes. `name` is safe to show and to offer for saving."""

    media_type: str
    name: str
    size: int
    sha256: str
    file: File[bytes] = field(repr=False, compare=False)


def accepted_suffixes() -> list[str]:
    return [suffix for suffixes in SUFFIXES.values() for suffix in suffixes]


def inspect_upload(file: Any, limit: int | None = None) -> InspectedUpload:
    """What an uploaded file is. `limit`: bytes, by default the setting. Raises `UploadError`."""
    limit = settings.EXHIBIT_MAX_BYTES if limit is None else limit
    name = clean_file_name(file.name or "")
    if file.size > limit:  # before anything is read
        raise _too_large(name, limit)
    file.seek(0)
    data = file.read()
    file.seek(0)
    return InspectedUpload(
        media_type=find_media_type(name, data),
        name=name,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        file=file,
    )


def inspect_bytes(name: str, data: bytes, limit: int) -> InspectedUpload:
    """`inspect_upload` for bytes in memory."""
    return inspect_upload(ContentFile(data, name=name), limit)


def find_media_type(name: str, data: bytes) -> str:
    """The accepted type that the bytes are and that `name` does not contradict. Raises `UploadError`."""
    if not data:
        raise UploadError(
            _("“%(name)s” is empty. Choose the file again, or save it once more.") % {"name": name}
        )
    suffix = _find_suffix(name)
    media_type = sniff_binary_type(data)
    if media_type:
        _check_binary(name, media_type, data)
    else:
        media_type = _read_text_type(name, suffix, data)
    if suffix and suffix not in SUFFIXES[media_type]:
        message = _(
            "“%(name)s” is not what its name says: judging by its content, the name should end in "
            "%(suffix)s. Rename it if that is right."
        )
        raise UploadError(message % {"name": name, "suffix": SUFFIXES[media_type][0]})
    return media_type


def _find_suffix(name: str) -> str:
    match = _SUFFIX.search(name)
    return match.group().lower() if match else ""


def clean_file_name(name: str) -> str:
    """The last part of a path, without what cannot be seen, reorders text or is special to an operating system."""
    last = re.split(r"[/\\]", name)[-1][-1000:]
    seen = (
        " " if char.isspace() else char
        for char in last
        if char.isspace() or unicodedata.category(char)[0] != "C"
    )
    plain = unicodedata.normalize("NFC", _RESERVED.sub("_", "".join(seen)))
    plain = " ".join(plain.split()).rstrip(". ")
    suffix = _SUFFIX.search(plain)
    ending = suffix.group() if suffix else ""
    stem = plain.removesuffix(ending).strip(". ")[: MAX_NAME_LENGTH - len(ending)].rstrip(". ")
    return (stem or "file") + ending


def _check_binary(name: str, media_type: str, data: bytes) -> None:
    """Refuses a file that only begins like its type, or is a file of another type as well."""
    if is_two_files_at_once(data):
        message = _(
            "“%(name)s” is a file of two types at once. Save it again with an ordinary program and add "
            "that copy."
        )
        raise UploadError(message % {"name": name})
    if media_type == "application/pdf":
        if not is_whole_pdf(data):
            raise _damaged(name)
        return
    try:
        _draw_small(data, media_type, 64)
        _check_picture_structure(data, media_type)
    except _TooManyPixelsError:
        message = _("“%(name)s” has more than %(most)s million pixels. Save a smaller copy and add that.")
        raise UploadError(message % {"name": name, "most": MAX_PIXELS // 1_000_000}) from None
    except _UnreadableError:
        raise _damaged(name) from None


def _damaged(name: str) -> UploadError:
    return UploadError(
        _("“%(name)s” is damaged: it cannot be read to its end. Save or send it again.") % {"name": name}
    )


def _too_large(name: str, limit: int) -> UploadError:
    message = _("“%(name)s” is too large: the limit is %(limit)s. Save a smaller copy or split it.")
    return UploadError(message % {"name": name, "limit": filesizeformat(limit)})


def _read_text_type(name: str, suffix: str, data: bytes) -> str:
    kind = sniff_foreign_kind(data)
    text = None if kind else decode_text(data)
    if text is None:
        message = _("“%(name)s” is of a type that is not accepted. %(advice)s")
        raise UploadError(message % {"name": name, "advice": _ADVICE[kind]})
    if begins_as_markup(text) or hides_pdf(text):
        message = _(
            "“%(name)s” is a web page, a drawing or other code for a browser. Print it to PDF and add that."
        )
        raise UploadError(message % {"name": name})
    if suffix in SUFFIXES["text/plain"]:
        return "text/plain"
    if _is_json(text):
        return "application/json"
    if suffix == ".json":
        raise UploadError(
            _("“%(name)s” is not valid JSON. Rename it to .txt to add it as text.") % {"name": name}
        )
    return "text/plain"


def _is_json(text: str) -> bool:
    """Whether the text is a JSON object or array: a bare number or word is rather a note."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


class _TooManyPixelsError(Exception):
    pass


class _UnreadableError(Exception):
    pass


def _draw_small(data: bytes, media_type: str, side: int) -> Image.Image:
    """The picture (of an animation, the first) upright and decoded, no side longer than `side` pixels."""
    try:
        with Image.open(io.BytesIO(data), formats=[_PILLOW_FORMATS[media_type]]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _TooManyPixelsError
            image.draft("RGB", (2 * side, 2 * side))  # JPEG: decoded at the size that is needed
            image.thumbnail((side, side), reducing_gap=2.0)
            upright = ImageOps.exif_transpose(image)
            has_alpha = upright.has_transparency_data
            return upright.convert("RGBA" if has_alpha else "RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _TooManyPixelsError from None
    except _TooManyPixelsError:
        raise
    except Exception as error:  # a decoder fed with hostile bytes raises whatever its innards meet
        raise _UnreadableError from error


def _check_picture_structure(data: bytes, media_type: str) -> None:
    """What Pillow can verify without decoding: the check sums of a PNG up to its end."""
    try:
        with Image.open(io.BytesIO(data), formats=[_PILLOW_FORMATS[media_type]]) as image:
            image.verify()
    except Exception as error:
        raise _UnreadableError from error


def preview_png(data: bytes, max_side: int = PREVIEW_SIDE) -> bytes:
    """A PNG of a picture, drawn anew from its pixels: no byte and no metadata of the original. Raises `UploadError`."""
    try:
        small = _draw_small(data, sniff_binary_type(data), max_side)
    except (_TooManyPixelsError, _UnreadableError):
        raise UploadError(_("This picture cannot be shown.")) from None
    bare = Image.frombytes(small.mode, small.size, small.tobytes())
    written = io.BytesIO()
    bare.save(written, format="PNG")
    return written.getvalue()


def preview_image(file: File[bytes]) -> bytes | None:
    """`preview_png` of a stored file; None if it is no picture or cannot be drawn."""
    with file.open("rb") as opened:
        data = opened.read()
    try:
        return preview_png(data)
    except UploadError:
        return None
