"""Characters that a reader would not see, or that change the order in which the others are read.

A prompt may hide an instruction in them, and an answer may look like another one. On pages they are shown as their
code points; the stored text stays as it is. Joiners inside words and emoji are left alone: they belong to languages.
"""

from __future__ import annotations

import re

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # controls, except tab and line feed
    "\u00ad\u200b\u2060-\u2064\ufeff"  # soft hyphen, zero-width spaces, invisible operators
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional marks, embeddings, overrides, isolates
    "\ufff9-\ufffb\U000e0000-\U000e007f"  # annotations, tags
    "]"
)


def reveal(text: str) -> SafeString:
    """`text` as HTML, escaped, with every hidden character as its code point in an element of its own."""
    pieces, start = [], 0
    for match in HIDDEN.finditer(text):
        pieces.append((text[start : match.start()], _show_code_point(match.group())))
        start = match.end()
    return format_html("{}{}", format_html_join("", "{}{}", pieces), text[start:])


def _show_code_point(character: str) -> SafeString:
    return format_html('<span class="cb-code-point">U+{}</span>', f"{ord(character):04X}")
