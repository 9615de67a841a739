"""The documentation in docs/ as pages of the application: Markdown in, HTML out, with anchors that GitHub gives too.

Only files of ours are read. HTML inside them is shown as text, and nothing that comes out needs inline code or style.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.token import Token

FOLDER = Path(settings.BASE_DIR, "docs")
REFERENCE = re.compile(r"\[(\d+(?:, \d+)*)\]")
USER_GUIDE = "user-guide"
# In the sources a line `[in the report]: # (topic)` below a heading marks a part that reports print, too.
MARK = "in the report"
# What a reader of the application can open; links to other files become plain text. A dot sets off a language.
PAGES = tuple(sorted(path.stem for path in FOLDER.glob("*.md") if "." not in path.stem))


@dataclass(frozen=True, kw_only=True)
class Guide:
    """A page of documentation; `parts` are the anchors and texts of its second-level headings."""

    title: str
    language: str  # that of the text: not every page has been translated
    parts: tuple[tuple[str, str], ...]
    html: SafeString


@dataclass(frozen=True, kw_only=True)
class MarkedPart:
    """A part of a page that reports print where its `topic` concerns them; `blocks` are its text."""

    topic: str
    heading: str
    blocks: tuple[Token, ...]


@dataclass(frozen=True, kw_only=True)
class MarkedPage:
    """The marked parts of a page, and the entries of the list at its end, to which texts refer as [1], [2], …"""

    parts: tuple[MarkedPart, ...]
    references: tuple[Token, ...]


@cache
def open_guide(name: str, language: str) -> Guide:
    """The page `name` of `PAGES` in `language`, or in English if it is not translated."""
    translated = FOLDER / f"{name}.{language}.md"
    path = translated if translated.exists() else FOLDER / f"{name}.md"
    return render_guide(path.read_text(encoding="utf-8"), language if path == translated else "en")


def render_guide(text: str, language: str) -> Guide:
    """The page that `text` describes: its first heading is the title and not in the HTML."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    title, *tokens = _take_title(markdown.parse(text))
    parts = tuple(_name_headings(tokens))
    rendered = markdown.renderer.render(list(_prepare(tokens)), markdown.options, {})
    # Markdown's renderer has escaped it, and the raw HTML of the sources is off.
    return Guide(title=title.content, language=language, parts=parts, html=SafeString(rendered))


@cache
def open_marked(name: str, language: str) -> MarkedPage:
    """The parts of the page `name` that are marked for reports, in `language`; `MARK` says how."""
    path = FOLDER / (f"{name}.md" if language == "en" else f"{name}.{language}.md")
    markdown = MarkdownIt("commonmark", {"html": False, "inline_definitions": True}).enable("table")
    tokens = markdown.parse(path.read_text(encoding="utf-8"))
    starts = [place for place, token in enumerate(tokens) if token.type == "heading_open"]
    sections = [tokens[start:end] for start, end in pairwise([*starts, len(tokens)])]
    marked = (_read_part(section) for section in sections)
    return MarkedPage(
        parts=tuple(part for part in marked if part),
        references=tuple(token for token in sections[-1][3:] if token.type == "inline"),
    )


def _read_part(section: Sequence[Token]) -> MarkedPart | None:
    """The part that begins with this heading, if it is marked."""
    mark = section[3] if len(section) > 3 else None
    if mark is None or mark.type != "definition" or mark.meta["label"] != MARK:
        return None
    return MarkedPart(topic=mark.meta["title"], heading=_plain(section[1]), blocks=tuple(section[4:]))


def render_marked(blocks: Sequence[Token], numbers: Mapping[str, int]) -> SafeString:
    """The HTML of a part or a reference, every [1] of its text with the number it has in the report."""
    markdown = MarkdownIt("commonmark", {"html": False})

    def renumber(token: Token) -> Token:
        found = token.copy()
        if token.type == "text":
            found.content = REFERENCE.sub(lambda match: _write_numbers(match[1], numbers), token.content)
        if token.children:
            found.children = [renumber(child) for child in token.children]
        return found

    # Markdown's renderer has escaped it, and the raw HTML of the sources is off.
    return SafeString(markdown.renderer.render([renumber(token) for token in blocks], markdown.options, {}))


def find_numbers(blocks: Sequence[Token]) -> list[str]:
    """The numbers of the references that a part names, in its order."""
    texts = [child.content for token in blocks for child in token.children or () if child.type == "text"]
    return [number for text in texts for match in REFERENCE.findall(text) for number in match.split(", ")]


def _write_numbers(text: str, numbers: Mapping[str, int]) -> str:
    return "[" + ", ".join(str(numbers[number]) for number in text.split(", ")) + "]"


def make_anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _take_title(tokens: Sequence[Token]) -> list[Token]:
    """The text of the first heading, and everything after that heading."""
    return [tokens[1], *tokens[3:]]


def _name_headings(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    for opening, text in pairwise(tokens):
        if opening.type == "heading_open":
            heading = _plain(text)
            opening.attrSet("id", make_anchor(heading))
            if opening.tag == "h2":
                yield make_anchor(heading), heading


def _plain(inline: Token) -> str:
    return "".join(token.content for token in inline.children or ())


def _prepare(tokens: Sequence[Token]) -> Iterator[Token]:
    """The tokens with our links, without inline styles, and with a scrolling frame around every table."""
    label = ""
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        token.attrs.pop("style", None)
        if token.type == "heading_open" and following:
            label = _plain(following)
        if token.type == "inline":
            token.children = list(_lead_links(token.children or ()))
        if token.type == "table_open":
            frame = '<div class="cb-table" role="region" tabindex="0" aria-label="{}">\n'
            yield Token("html_block", "", 0, content=format_html(frame, label))
        yield token
        if token.type == "table_close":
            yield Token("html_block", "", 0, content="</div>\n")


def _lead_links(children: Sequence[Token]) -> Iterator[Token]:
    is_shown = True
    for token in children:
        if token.type == "link_open":
            address = _find_address(str(token.attrs["href"]))
            is_shown = bool(address)
            token.attrs["href"] = address
        if is_shown or token.type not in ("link_open", "link_close"):
            yield token


def _find_address(target: str) -> str:
    """Where a link of the sources leads to in the application; empty for a file that it does not serve."""
    if re.match("https?:|#", target):
        return target
    name, _, anchor = target.partition("#")
    page = name.removesuffix(".md")
    if page not in PAGES:
        return ""
    address = reverse("casebook:help") if page == USER_GUIDE else reverse("casebook:help-page", args=[page])
    return f"{address}#{anchor}" if anchor else address
