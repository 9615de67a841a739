"""A file is what its bytes are: accepted types are decoded, everything else is refused with advice."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import struct
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable

import pikepdf
import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from casebook.uploads import (
    MAX_NAME_LENGTH,
    SUFFIXES,
    UploadError,
    accepted_suffixes,
    clean_file_name,
    find_media_type,
    inspect_bytes,
    inspect_upload,
    preview_image,
    preview_png,
)

LIMIT = 1_000_000


def draw(kind: str, size: tuple[int, int] = (8, 6), mode: str = "RGB", **options: object) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, 1).save(written, format=kind, **options)
    return written.getvalue()


def make_pdf() -> bytes:
    written = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(written)
    return written.getvalue()


def zip_of(*names: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return written.getvalue()


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_bomb(width: int, height: int) -> bytes:
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    pixels = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + header + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")


ACCEPTED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a.png": ("image/png", lambda: draw("PNG")),
    "a.jpg": ("image/jpeg", lambda: draw("JPEG")),
    "b.JPEG": ("image/jpeg", lambda: draw("JPEG")),
    "a.gif": ("image/gif", lambda: draw("GIF", mode="P")),
    "a.webp": ("image/webp", lambda: draw("WEBP")),
    "a.pdf": ("application/pdf", make_pdf),
    "a.txt": ("text/plain", "Привет, <b>мир</b>\r\n\t".encode),
    "bom.txt": ("text/plain", "\ufeffПривет".encode),
    "utf16.txt": ("text/plain", lambda: "Привет".encode("utf-16")),
    "notes.md": ("text/plain", lambda: b"# Notes\n<nick> hi"),
    "irc.log": ("text/plain", lambda: b"<nick> hi"),
    "json.txt": ("text/plain", lambda: b'{"a": 1}'),
    "a.json": ("application/json", lambda: b' {"a": [1.5, null, "<html>"]}'),
    "utf16.json": ("application/json", lambda: '["Привет"]'.encode("utf-16")),
    "no suffix": ("image/png", lambda: draw("PNG")),
    "chat at 10.31.05": ("text/plain", lambda: b"hello"),
    "export": ("application/json", lambda: b"[1, 2]"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted_types_are_told_from_their_bytes(name: str) -> None:
    media_type, make = ACCEPTED[name]
    data = make()
    found = inspect_bytes(name, data, LIMIT)
    assert (found.media_type, found.name, found.size) == (media_type, name, len(data))
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.file.read() == data


def test_the_browsers_word_on_the_type_counts_for_nothing() -> None:
    upload = SimpleUploadedFile("a.txt", b"hello", content_type="image/png")
    assert inspect_upload(upload).media_type == "text/plain"
    assert upload.read() == b"hello"


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
REFUSED = {
    "a.svg": (SVG, "web page"),
    "svg.txt": (SVG, "web page"),
    "svg.json": (SVG, "web page"),
    "svg.png": (SVG, "web page"),
    "bom.txt": ("\ufeff \u200b\n".encode() + SVG, "web page"),
    "utf16.txt": (SVG.decode().encode("utf-16"), "web page"),
    "page.html": (b"<!DOCTYPE html><p>x", "web page"),
    "page.txt": (b"\n <!-- c --><HTML>", "web page"),
    "script.txt": (b"<script>alert(1)</script>", "web page"),
    "name.txt": (b'<x:svg xmlns:x="http://www.w3.org/2000/svg">', "web page"),
    "feed.txt": (b"<?xml version='1.0'?><rss/>", "web page"),
    "pdf.txt": (b"hello\n%PDF-1.7\n", "web page"),
    "text.png": (b"hello", "name says"),
    "png.txt": (draw("PNG"), "name says"),
    "png.jpg": (draw("PNG"), "name says"),
    "photo.png.exe": (draw("PNG"), "name says"),
    "data.csv2": (b"a,b", "name says"),
    "pdf.json": (make_pdf(), "name says"),
    "page.htm": (b"hello", "name says"),
    "bad.json": (b"{'a': 1}", "not valid JSON"),
    "word.json": (b"hello", "not valid JSON"),
    "deep.json": (b"[" * 200_000, "not valid JSON"),
    "empty.png": (b"", "is empty"),
    "large.txt": (b"x" * (LIMIT + 1), "too large"),
    "cyrillic.txt": ("Привет".encode("cp1251"), "plain text in UTF-8"),
    "nul.txt": (b"a\0b", "plain text in UTF-8"),
    "odd.txt": (b"\xff\xfea", "plain text in UTF-8"),
    "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1", "Save it as PNG or JPEG"),
    "scan.tiff": (b"II*\0\x08\0\0\0", "Save it as PNG or JPEG"),
    "film.mp4": (b"\0\0\0\x18ftypisom\0\0\0\0", "Sound and video"),
    "letter.docx": (zip_of("[Content_Types].xml", "word/document.xml"), "as PDF"),
    "old.doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "as PDF"),
    "rich.txt": (b"{\\rtf1 hello}", "as PDF"),
    "all.zip": (zip_of("a.txt"), "Unpack"),
    "run.txt": (b"#!/bin/sh\nrm", "Programs"),
    "run.png": (b"MZ" + b"\0" * 100, "Programs"),
    "cut.png": (draw("PNG")[:-20], "damaged"),
    "cut.jpg": (draw("JPEG", (300, 300))[:-200], "damaged"),
    "cut.gif": (draw("GIF", (300, 300), "P")[:40], "damaged"),
    "cut.webp": (draw("WEBP", (300, 300))[:30], "damaged"),
    "cut.pdf": (make_pdf()[:-100], "damaged"),
    "fake.png": (b"\x89PNG\r\n\x1a\n" + b"hello" * 20, "damaged"),
    "fake.jpg": (b"\xff\xd8\xff\xe0" + b"\0" * 50, "damaged"),
    "fake.gif": (b"GIF89a" + b"\xff" * 50, "damaged"),
    "fake.webp": (b"RIFF\x20\0\0\0WEBPVP8 " + b"\0" * 50, "damaged"),
    "zip.png": (draw("PNG") + zip_of("a.txt"), "two types"),
    "zip.pdf": (make_pdf() + zip_of("a.txt"), "two types"),
    "html.gif": (b"GIF89a<script>alert(1)</script>", "two types"),
    "pdf.gif": (b"GIF89a\n%PDF-1.4\n", "two types"),
    "bomb.png": (png_bomb(60_000, 60_000), "million pixels"),
    "wide.png": (png_bomb(10_000, 9_000), "million pixels"),
    "above.png": (png_bomb(8_000, 7_000), "million pixels"),
    "bomb.gif": (b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\0\0\0," + b"\0" * 20, "million pixels"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_everything_else_is_refused_with_a_sentence_that_names_the_file(name: str) -> None:
    data, complaint = REFUSED[name]
    started = time.process_time()
    with pytest.raises(UploadError, match=complaint) as caught:
        inspect_bytes(name, data, LIMIT)
    assert f"“{name}”" in str(caught.value)
    assert time.process_time() - started < 1


def test_a_picture_of_the_size_of_a_large_photograph_is_accepted() -> None:
    assert inspect_bytes("a.jpg", draw("JPEG", (8_000, 6_000), "L"), LIMIT * 10).media_type == "image/jpeg"


def test_a_bomb_is_refused_even_where_warnings_are_silenced() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(UploadError, match="million pixels"):
            find_media_type("a.png", png_bomb(10_000, 9_000))


def test_too_large_a_file_is_refused_unread() -> None:
    class Unreadable(ContentFile):  # type: ignore[type-arg]  # not generic at run time
        def read(self, *args: object) -> bytes:
            raise AssertionError("read")

    with pytest.raises(UploadError, match="the limit is 1"):
        inspect_upload(Unreadable(b"x" * 2_000_000, name="a.txt"), 1024 * 1024)


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFFabcdWEBP"]),
)
def test_any_bytes_are_accepted_or_refused(data: bytes, signature: bytes) -> None:
    with contextlib.suppress(UploadError):
        assert find_media_type("a", signature + data) in SUFFIXES


@given(
    st.binary(min_size=1, max_size=8), st.integers(0, 400), st.sampled_from(["PNG", "JPEG", "GIF", "WEBP"])
)
def test_a_picture_with_altered_bytes_is_accepted_or_refused(patch: bytes, at: int, kind: str) -> None:
    data = draw(kind, (40, 30))
    at %= len(data)
    with contextlib.suppress(UploadError):
        assert find_media_type("a", data[:at] + patch + data[at + len(patch) :]) in SUFFIXES


@pytest.mark.parametrize(
    ("given_name", "shown"),
    [
        ("C:\\Users\\me\\photo.png", "photo.png"),
        ("../../etc/passwd", "passwd"),
        ("a\0b\u202egnp.exe", "abgnp.exe"),
        ("  two \u00a0 spaces\t.txt", "two spaces.txt"),
        ("cafe\u0301.txt", "café.txt"),
        ('a<b>:"c|d?*.txt', "a_b___c_d__.txt"),
        ("...", "file"),
        ("", "file"),
        ("/", "file"),
        (".png", "file.png"),
        ("\ud800.png", "file.png"),
        ("line\nbreak.md", "line break.md"),
    ],
)
def test_names_are_cleaned(given_name: str, shown: str) -> None:
    assert clean_file_name(given_name) == shown


def test_a_long_name_keeps_its_suffix() -> None:
    assert clean_file_name("я" * 300 + ".jpeg") == "я" * (MAX_NAME_LENGTH - 5) + ".jpeg"


@given(st.text(st.characters(exclude_categories=())))
def test_a_clean_name_is_short_visible_and_stays_as_it_is(name: str) -> None:
    cleaned = clean_file_name(name)
    assert 0 < len(cleaned) <= MAX_NAME_LENGTH
    assert cleaned.isprintable()
    assert not set('/\\<>:"|?*') & set(cleaned)
    assert clean_file_name(cleaned) == cleaned


def test_the_suffixes_offered_to_the_browser_are_the_accepted_ones() -> None:
    assert {".png", ".jpg", ".pdf", ".txt", ".json"} <= set(accepted_suffixes())
    assert not {".svg", ".html", ".exe", ".docx"} & set(accepted_suffixes())


def test_refusals_can_be_translated() -> None:
    with translation.override("ru"), pytest.raises(UploadError, match=r"Распакуйте архив.*"):
        find_media_type("a.zip", zip_of("a.txt"))


def test_a_preview_is_a_small_picture_without_metadata() -> None:
    about = PngImagePlugin.PngInfo()
    about.add_text("Comment", "secret place")
    preview = preview_png(draw("PNG", (900, 300), pnginfo=about, dpi=(300, 300)), 64)
    with Image.open(io.BytesIO(preview)) as picture:
        picture.load()
        assert (picture.format, picture.size, picture.info) == ("PNG", (64, 21), {})
    assert b"secret" not in preview


def test_a_preview_stands_upright_and_without_exif() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "secret place"
    preview = preview_png(draw("JPEG", (80, 40), exif=exif), 64)
    with Image.open(io.BytesIO(preview)) as picture:
        assert picture.size == (32, 64)
        assert not picture.getexif()
    assert b"secret" not in preview


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_pictures_of_every_kind_can_be_previewed(mode: str) -> None:
    with Image.open(io.BytesIO(preview_png(draw("PNG", mode=mode)))) as picture:
        assert picture.mode == ("RGBA" if mode in ("LA", "RGBA") else "RGB")


def test_a_preview_of_an_animation_shows_its_first_picture() -> None:
    frames = [Image.new("P", (8, 8), colour) for colour in (0, 1)]
    written = io.BytesIO()
    frames[0].save(written, format="GIF", save_all=True, append_images=frames[1:])
    with Image.open(io.BytesIO(preview_png(written.getvalue()))) as picture:
        assert getattr(picture, "n_frames", 1) == 1


@pytest.mark.parametrize("data", [b"hello", b"", png_bomb(60_000, 60_000), draw("JPEG", (300, 300))[:-200]])
def test_what_cannot_be_drawn_has_no_preview(data: bytes) -> None:
    with pytest.raises(UploadError):
        preview_png(data)
    assert preview_image(ContentFile(data)) is None


def test_a_stored_picture_is_previewed() -> None:
    assert preview_image(ContentFile(draw("WEBP"))) is not None


def test_json_with_endless_digits_is_read_at_once() -> None:
    started = time.process_time()
    data = json.dumps({"a": 1}).replace("1", "9" * 900_000).encode()
    assert find_media_type("a.json", data) == "application/json"
    assert time.process_time() - started < 1
