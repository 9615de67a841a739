"""Compares the catalogue of translations with the sources, without GNU gettext."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polib
from django.utils.translation.template import templatize

# Function → which arguments are context, singular and plural (None: has none).
GETTEXT: dict[str, tuple[int | None, int, int | None]] = {
    "gettext": (None, 0, None),
    "pgettext": (0, 1, None),
    "ngettext": (None, 0, 1),
    "npgettext": (0, 1, 2),
}
FUNCTIONS = GETTEXT | {f"{name}_lazy": places for name, places in GETTEXT.items()}
FUNCTIONS |= {"_": GETTEXT["gettext"], "gettext_noop": GETTEXT["gettext"]}

_STRING = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_TEMPLATE_CALL = re.compile(
    rf"(?<!\w)(npgettext|ngettext|pgettext|gettext|_)\(\s*({_STRING}(?:\s*,\s*{_STRING})*)"
)
_PLACEHOLDER = re.compile(r"%\(\w+\)[sdf]|%[sd]|\{\w*\}")


class Message(NamedTuple):
    """A text to translate; `context` is "" where none was given, `plural` too."""

    context: str
    text: str
    plural: str


def collect_messages(root: Path) -> dict[Message, str]:
    """Return the messages of our packages and templates, each with a place where it stands."""
    found: dict[Message, str] = {}
    for package in ("casebook", "ensemble"):
        for path in sorted((root / package).rglob("*.py")):
            for message, line in _read_python(path.read_text(encoding="utf-8")):
                found.setdefault(message, f"{path.relative_to(root)}:{line}")
    for path in sorted((root / "templates").rglob("*.*")):
        for message in _read_template(path.read_text(encoding="utf-8")):
            found.setdefault(message, str(path.relative_to(root)))
    return found


def _read_python(source: str) -> Iterator[tuple[Message, int]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            texts = [_read_constant(argument) for argument in node.args]
            if message := _make_message(name, texts):
                yield message, node.lineno


def _read_constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _read_template(source: str) -> Iterator[Message]:
    for name, arguments in _TEMPLATE_CALL.findall(templatize(source)):
        texts: list[str | None] = [ast.literal_eval(literal) for literal in re.findall(_STRING, arguments)]
        if message := _make_message(name, texts):
            yield message


def _make_message(function: str, texts: list[str | None]) -> Message | None:
    """Return the message of a call, or None when it is no gettext call or its texts are not literal."""
    if function not in FUNCTIONS:
        return None
    places = FUNCTIONS[function]
    parts = ["" if place is None else texts[place] if place < len(texts) else None for place in places]
    context, text, plural = parts
    return None if context is None or not text or plural is None else Message(context, text, plural)


def find_problems(messages: dict[Message, str], folder: Path) -> list[str]:
    """Return what is wrong with `folder`/django.po and .mo, each as one line; nothing means complete and compiled."""
    catalogue = polib.pofile(str(folder / "django.po"))
    entries = {
        Message(e.msgctxt or "", e.msgid, e.msgid_plural or ""): e for e in catalogue if not e.obsolete
    }
    problems = [
        f"{place}: not in the catalogue: {message.text!r}"
        for message, place in messages.items()
        if message not in entries
    ]
    problems += [
        f"no source has this text any more: {message.text!r}"
        for message in entries
        if message not in messages
    ]
    for message, entry in entries.items():
        problems += [f"{reason}: {message.text!r}" for reason in _find_entry_problems(message, entry)]
    compiled = folder / "django.mo"
    if not compiled.exists() or _read_texts(polib.mofile(str(compiled))) != _read_texts(
        catalogue.translated_entries()
    ):
        problems.append("django.mo does not match django.po: run `make messages`")
    return problems


def _find_entry_problems(message: Message, entry: polib.POEntry) -> Iterator[str]:
    if entry.fuzzy:
        yield "marked as fuzzy"
    elif not entry.translated():
        yield "not translated"
    elif message.plural:
        allowed = set(_PLACEHOLDER.findall(message.plural))
        if any(set(_PLACEHOLDER.findall(form)) - allowed for form in entry.msgstr_plural.values()):
            yield "a plural form has a placeholder that the original lacks"
    elif sorted(_PLACEHOLDER.findall(entry.msgstr)) != sorted(_PLACEHOLDER.findall(message.text)):
        yield "placeholders differ from the original's"


def _read_texts(entries: list[polib.POEntry]) -> dict[tuple[str, str], str | dict[int, str]]:
    return {(e.msgctxt or "", e.msgid): e.msgstr_plural or e.msgstr for e in entries}
