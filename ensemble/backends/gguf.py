"""Reads the header of a GGUF model file: its metadata, without the weights and without any library.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b"GGUF"
STRING, ARRAY = 8, 9
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
MAX_STRING_BYTES = 1 << 24
MAX_ITEMS = 1 << 22

# `general.file_type`: the numbers of llama.cpp's `enum llama_ftype`, named as its tools name them.
FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 32: "BF16",
}  # fmt: skip


def read_gguf_metadata(path: Path) -> dict[str, Any]:
    """The file's key-value pairs; an array (a vocabulary, mostly) is given as its length only.

    Raises ValueError when the file is not a readable GGUF file, OSError when it cannot be read.
    """
    with path.open("rb") as file:
        try:
            magic = file.read(4)
            version, _tensors, pairs = _unpack(file, "IQQ")
            if magic != MAGIC or version not in (2, 3) or pairs > MAX_ITEMS:
                raise ValueError("not a GGUF file")
            return dict(_read_pair(file) for _ in range(pairs))
        except (struct.error, UnicodeDecodeError, KeyError) as error:
            raise ValueError("a damaged GGUF file") from error


def _unpack(file: BinaryIO, layout: str) -> tuple[Any, ...]:
    layout = "<" + layout
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _read_pair(file: BinaryIO) -> tuple[str, Any]:
    key = _read_bytes(file).decode("utf-8")
    (kind,) = _unpack(file, "I")
    return key, _read_value(file, kind)


def _read_bytes(file: BinaryIO) -> bytes:
    (length,) = _unpack(file, "Q")
    if length > MAX_STRING_BYTES:
        raise ValueError("a damaged GGUF file")
    return file.read(length)


def _read_value(file: BinaryIO, kind: int) -> Any:
    if kind == STRING:
        return _read_bytes(file).decode("utf-8")
    if kind == ARRAY:
        return _skip_array(file)
    return _unpack(file, SCALARS[kind])[0]


def _skip_array(file: BinaryIO) -> int:
    kind, count = _unpack(file, "IQ")
    if count > MAX_ITEMS:
        raise ValueError("a damaged GGUF file")
    if kind in SCALARS:
        file.seek(struct.calcsize("<" + SCALARS[kind]) * count, 1)
    else:
        for _ in range(count):
            _read_bytes(file) if kind == STRING else _read_value(file, kind)
    return int(count)
