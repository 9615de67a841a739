"""Help: the documentation as pages, in the reader's language, without anything that the policy forbids."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from casebook.guide import PAGES, make_anchor, open_guide, render_guide

LANGUAGES = ("en", "ru")
EVERY_PAGE = ["/help/", *(f"/help/{name}/" for name in PAGES)]


def read(client: Client, path: str, language: str) -> str:
    client.cookies["django_language"] = language
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(("language", "title"), [("en", "User guide"), ("ru", "Руководство пользователя")])
def test_a_visitor_reads_the_user_guide_in_the_active_language(
    client: Client, db: None, language: str, title: str
) -> None:
    page = read(client, "/help/", language)
    assert f'<h1 lang="{language}">{title}</h1>' in page
    assert page.count("<h1") == 1
    assert 'aria-current="page">' in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_links_to_the_guide(client: Client, db: None, language: str) -> None:
    assert '<a href="/help/">' in read(client, "/samples/", language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", EVERY_PAGE)
def test_every_link_of_a_page_leads_to_a_heading_or_page_that_exists(
    client: Client, db: None, path: str, language: str
) -> None:
    page = read(client, path, language)
    article = page[page.index('<div class="cb-guide">') :]
    for target in re.findall(r'href="([^"]+)"', article):
        address, _, anchor = target.partition("#")
        if address.startswith(("https://", "http://")):
            continue
        assert address == "" or address in EVERY_PAGE, target
        if anchor:
            assert f'id="{anchor}"' in (read(client, address, language) if address else page), target


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", EVERY_PAGE)
def test_a_page_needs_no_inline_style_script_or_foreign_picture(
    client: Client, db: None, path: str, language: str
) -> None:
    page = read(client, path, language)
    assert not re.search(r"\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+=|<img", page)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(set(ids)) == len(ids)


def test_raw_html_and_dangerous_links_stay_text() -> None:
    guide = render_guide("# A <b>title</b>\n\n<script>x</script> [go](javascript:x) `a < b`\n", "en")
    assert guide.title == "A <b>title</b>"
    assert "<script" not in guide.html
    assert "javascript:x" not in re.findall(r'href="([^"]*)"', guide.html)
    assert "<code>a &lt; b</code>" in guide.html


def test_a_link_to_a_file_that_is_not_served_is_plain_text() -> None:
    guide = render_guide(
        "# T\n\n[README](../README.md) and [more](endpoints.md#ollama) and [this](#t)\n", "en"
    )
    assert (
        guide.html
        == '<p>README and <a href="/help/endpoints/#ollama">more</a> and <a href="#t">this</a></p>\n'
    )


def test_an_aligned_table_gets_a_named_frame_and_no_style() -> None:
    guide = render_guide("# T\n\n## Sizes & more\n\n| a | b |\n|--:|:-:|\n| 1 | 2 |\n", "en")
    assert 'tabindex="0" aria-label="Sizes &amp; more">\n<table>' in guide.html
    assert guide.html.count("<div") == guide.html.count("</div>") == 1
    assert "style" not in guide.html


def test_a_page_that_is_not_there_is_a_404(client: Client, db: None) -> None:
    assert client.get("/help/secrets/").status_code == 404
    assert client.get("/help/user-guide.ru/").status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_what_is_not_translated_is_shown_in_english_and_says_so(name: str) -> None:
    guide = open_guide(name, "ru")
    assert guide.language == ("ru" if re.search("[а-я]", guide.title) else "en")
    assert all(anchor == make_anchor(heading) for anchor, heading in guide.parts)
