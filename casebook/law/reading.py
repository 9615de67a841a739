"""Strict reading of the reviewed data files: what is missing, misspelt, twice there or of the wrong kind is refused."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

try:  # libyaml reads ten times as fast; PyYAML built without it has only the other
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]

_MONEY = r"[0-9]{1,12}(\.[0-9]{2})?"


class DataError(ValueError):
    """A data file is not what it must be; the message names the file, the row and the field."""


@dataclass(frozen=True, kw_only=True)
class Localized:
    """One text in both languages of the product."""

    en: str
    ru: str

    def text(self, language: str) -> str:
        return self.ru if language.startswith("ru") else self.en


class _UniqueKeyLoader(SafeLoader):
    """YAML lets the last of two equal keys win in silence; a reviewed file must not."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"“{key_node.value}” stands twice", key_node.start_mark
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)


class Fields:
    """The fields of one mapping that were not read yet; `where` leads to the mapping in messages."""

    def __init__(self, values: dict[str, Any], where: str) -> None:
        self._left = dict(values)
        self.where = where

    def take(self, key: str) -> Any:
        """The value as YAML gives it."""
        if key not in self._left:
            raise self.error(key, "is missing")
        return self._left.pop(key)

    def take_text(self, key: str, *, pattern: str = "", optional: bool = False) -> str:
        """A text that is not blank (but may be empty if `optional`) and matches `pattern`, if given, as a whole."""
        value = self.take(key)
        if not isinstance(value, str):
            raise self.error(key, f"must be a text in quotes, not {value!r}")
        if optional and not value:
            return ""
        if not value.strip():
            raise self.error(key, "is empty")
        if pattern and not re.fullmatch(pattern, value):
            raise self.error(key, f"does not have the form {pattern}: “{value}”")
        return value

    def take_choice(self, key: str, choices: Sequence[str]) -> str:
        value = self.take_text(key)
        if value not in choices:
            raise self.error(key, f"must be one of {', '.join(choices)}, not “{value}”")
        return value

    def take_money(self, key: str, *, optional: bool = False) -> Decimal | None:
        """An amount written as text, so that it stays exact: "650.88"; None for an empty text."""
        text = self.take_text(key, pattern=_MONEY, optional=optional)
        return Decimal(text) if text else None

    def take_localized(self, key: str) -> Localized:
        with self.open(key) as fields:
            return Localized(en=fields.take_text("en"), ru=fields.take_text("ru"))

    def take_localizable(self, key: str, *, optional: bool = False) -> Localized:
        """A text in both languages, or one that stands for both because it is never translated."""
        if isinstance(self._left.get(key), dict):
            return self.take_localized(key)
        text = self.take_text(key, optional=optional)
        return Localized(en=text, ru=text)

    def take_texts(self, key: str, *, pattern: str = "") -> tuple[str, ...]:
        """The texts of a list, which may be empty."""
        items = self._take_list(key)
        fields = Fields({str(number): item for number, item in enumerate(items, 1)}, f"{self.where}, {key}")
        return tuple(fields.take_text(str(number), pattern=pattern) for number in range(1, len(items) + 1))

    @contextmanager
    def open(self, key: str) -> Iterator[Fields]:
        """The fields of the mapping under `key`; on leaving, all of them must have been read."""
        with open_fields(self.take(key), f"{self.where}, {key}") as fields:
            yield fields

    def open_rows(self, key: str) -> Iterator[Fields]:
        """The fields of each mapping in the list under `key`; before the next one, all must have been read."""
        for number, item in enumerate(self._take_list(key), 1):
            with open_fields(item, f"{self.where}, {key} {number}") as fields:
                yield fields

    def error(self, key: str, what: str) -> DataError:
        return DataError(f"{self.where}: “{key}” {what}.")

    def require_none_left(self) -> None:
        if self._left:
            raise self.error(str(next(iter(self._left))), "is not a known field")

    def _take_list(self, key: str) -> list[Any]:
        value = self.take(key)
        if not isinstance(value, list):
            raise self.error(key, "must be a list")
        return value


@contextmanager
def open_fields(value: Any, where: str) -> Iterator[Fields]:
    """The fields of a mapping; on leaving without an error, all of them must have been read."""
    if not isinstance(value, dict):
        raise DataError(f"{where}: must hold named fields.")
    fields = Fields(value, where)
    yield fields
    fields.require_none_left()


def read_yaml(path: Path) -> Any:
    """The content of a YAML file: plain values only. `DataError` if it is none, or if a key stands twice in it."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)  # noqa: S506 (a SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path.name}: {error}") from error
