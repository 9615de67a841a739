"""The documentation in docs/ as pages of the application: Markdown in, HTML out, with anchors that GitHub gives too.

Only files of ours are read. HTML inside them is shown as text, and nothing that comes out needs inline code or style.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
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
USER_GUIDE = "user-guide"
# What a reader of the application can open; links to other files become plain text. A dot sets off a language.
PAGES = tuple(sorted(path.stem for path in FOLDER.glob("*.md") if "." not in path.stem))


@dataclass(frozen=True, kw_only=True)
class Guide:
    """A page of documentation; `parts` are the anchors and texts of its second-level headings."""

    title: str
    language: str  # that of the text: not every page has been translated
    parts: tuple[tuple[str, str], ...]
    html: SafeString


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
