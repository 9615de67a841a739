from __future__ import annotations

import struct
from pathlib import Path

import pytest

from ensemble.backends.gguf import read_gguf_metadata


def encode_string(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def write_gguf(
    path: Path, pairs: list[tuple[str, int, bytes]], *, version: int = 3, claimed: int = -1
) -> Path:
    count = len(pairs) if claimed < 0 else claimed
    body = b"".join(encode_string(key) + struct.pack("<I", kind) + value for key, kind, value in pairs)
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", version, 0, count) + body)
    return path


def test_every_kind_of_value_is_read_and_arrays_are_counted(tmp_path: Path) -> None:
    strings = struct.pack("<IQ", 8, 2) + encode_string("a") + encode_string("дом")
    nested = struct.pack("<IQ", 9, 1) + struct.pack("<IQ", 5, 3) + struct.pack("<3i", 1, 2, 3)
    path = write_gguf(
        tmp_path / "m.gguf",
        [
            ("general.name", 8, encode_string("Модель")),
            ("words", 9, strings),
            ("nested", 9, nested),
            ("numbers", 9, struct.pack("<IQ", 4, 3) + struct.pack("<3I", 1, 2, 3)),
            ("flag", 7, b"\x01"),
            ("small", 1, struct.pack("<b", -3)),
            ("real", 12, struct.pack("<d", 0.5)),
            ("long", 10, struct.pack("<Q", 2**63)),
        ],
    )
    assert read_gguf_metadata(path) == {
        "general.name": "Модель",
        "words": 2,
        "nested": 1,
        "numbers": 3,
        "flag": True,
        "small": -3,
        "real": 0.5,
        "long": 2**63,
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GG",
        b"<html>not a model at all, but long enough</html>",
        b"GGUF" + struct.pack("<IQQ", 1, 0, 0),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 2**60),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 2**62),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + encode_string("k") + struct.pack("<I", 99),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + encode_string("k") + struct.pack("<IIQ", 9, 8, 2**40),
        b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + encode_string("k") + struct.pack("<I", 8),
    ],
)
def test_anything_else_is_a_value_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="GGUF"):
        read_gguf_metadata(path)
