"""The look keeps its promises: contrast, no inline code, figures in the page's colours, a documented class list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from casebook.figures.svg import PAINTS

ROOT = Path(__file__).resolve().parents[2]
STYLES = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "static/css").glob("*.css"))}
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCHEMES = ("light", "dark")

TEXT_PAIRS = [
    *[("ink", ground) for ground in ("paper", "field", "tint", "rubric-tint", "slate-tint", "ochre-tint")],
    *[("soft", ground) for ground in ("paper", "field", "tint", "rubric-tint")],
    *[("rubric", ground) for ground in ("paper", "field", "rubric-tint")],
    *[("slate", "paper"), ("slate", "slate-tint"), ("ochre", "paper"), ("ochre", "ochre-tint")],
    *[("on-ink", "ink"), ("on-ink", "ink-hover")],
]
SHAPE_PAIRS = [
    *[("border", "paper"), ("border", "field"), ("border", "tint")],
    *[("slate", "paper"), ("slate", "field"), ("rubric", "paper"), ("rubric", "rubric-tint")],
    *[("fig-no-error-edge", "paper"), ("fig-no-error-edge", "fig-band"), ("ochre", "fig-unclear")],
    *[("ink", "fig-band"), ("rubric", "fig-band"), ("ink", "fig-no-error")],
]


def read_colours(scheme: str) -> dict[str, str]:
    light, dark = STYLES["tokens.css"].split("@media (prefers-color-scheme: dark)")
    colours = dict(re.findall(r"--cb-([\w-]+): (#[0-9a-f]{6});", light))
    if scheme == "dark":
        colours |= dict(re.findall(r"--cb-([\w-]+): (#[0-9a-f]{6});", dark))
    return colours


def measure_contrast(first: str, second: str) -> float:
    """Return the contrast ratio of WCAG 2.2 between two #rrggbb colours."""

    def measure_luminance(colour: str) -> float:
        shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted(map(measure_luminance, (first, second)))
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_formula_gives_the_known_ends() -> None:
    assert measure_contrast("#ffffff", "#000000") == pytest.approx(21)
    assert measure_contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_text_has_the_contrast_of_wcag_aa(scheme: str, text: str, ground: str) -> None:
    colours = read_colours(scheme)
    assert measure_contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("shape", "ground"), SHAPE_PAIRS)
def test_borders_focus_rings_and_figure_marks_stand_out(scheme: str, shape: str, ground: str) -> None:
    colours = read_colours(scheme)
    assert measure_contrast(colours[shape], colours[ground]) >= 3


def test_dark_mode_redefines_every_colour_of_light_mode() -> None:
    light, dark = STYLES["tokens.css"].split("@media (prefers-color-scheme: dark)")
    names = [set(re.findall(r"(--cb-[\w-]+): #", part)) for part in (light, dark)]
    assert names[0] == names[1]


def test_every_paint_of_a_figure_has_a_rule_and_the_fallback_is_the_light_colour() -> None:
    colours = read_colours("light") | {"paper": "#ffffff"}  # a report is printed on white
    for name, attributes in PAINTS.items():
        rule = re.search(rf"^\.{name} {{ (.+) }}$", STYLES["figures.css"], re.MULTILINE)
        assert rule, name
        wanted = {key: colours[token] for key, token in re.findall(r"(\w+): var\(--cb-([\w-]+)\)", rule[1])}
        assert {key: value for key, value in attributes.items() if value.startswith("#")} == wanted, name


def test_every_style_sheet_is_linked_from_the_base_page() -> None:
    base = (ROOT / "templates/base.html").read_text(encoding="utf-8")
    # report.css is the PDF's own.
    assert [name for name in STYLES if f"css/{name}" not in base] == ["report.css"]


def test_every_file_that_a_style_sheet_asks_for_exists() -> None:
    wanted = {url for css in STYLES.values() for url in re.findall(r'url\("([^"]+)"\)', css)}
    assert len(wanted) >= 9
    assert [url for url in wanted if not (ROOT / "static/css" / url).is_file()] == []


def test_every_class_of_the_design_note_is_defined() -> None:
    note = (ROOT / "docs/design/001-look.md").read_text(encoding="utf-8")
    classes = set(re.findall(r"\bcb-[a-z-]*[a-z]\b", note)) - {"cb-turn-assistant"}
    defined = set(re.findall(r"\.(cb-[\w-]+)", "".join(STYLES.values())))
    assert len(classes) > 40
    assert classes <= defined


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_carries_inline_code(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    events = r"\son(?:click|change|submit|load|error|input|focus|blur|toggle|key\w+|mouse\w+|pointer\w+)\s*="
    assert not re.search(rf"<style|\sstyle\s*=|<script(?![^>]*\ssrc=)|{events}|\shx-on|javascript:", source)


def test_the_server_error_page_needs_neither_request_nor_database() -> None:
    html = render_to_string("500.html")
    assert "Something went wrong" in html
    assert "/static/css/casebook.css" in html


@pytest.mark.django_db
def test_a_missing_page_has_the_masthead_with_every_link_in_place(client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("orlova", is_staff=True))
    response = client.get("/there-is-no-such-page?x=<script>", headers={"accept-language": "ru"})
    html = response.content.decode()
    assert response.status_code == 404
    assert '<html lang="ru">' in html
    assert 'href=""' not in html
    assert html.count("<a ") >= 6
    assert html.count('/i18n/setlang/?next=%2Fthere-is-no-such-page%3Fx%3D%253Cscript%253E"') == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["login", "password_reset", "password_reset_done", "password_reset_complete"]
)
def test_the_account_pages_render(client: Client, name: str) -> None:
    response = client.get(reverse(name))
    assert response.status_code == 200
    assert b'class="cb-head"' in response.content


@pytest.mark.django_db
def test_a_wrong_password_is_said_once_at_the_top_of_the_form(client: Client) -> None:
    html = client.post(reverse("login"), {"username": "nobody", "password": "x"}).content.decode()
    assert html.count("<li>Please enter a correct username") == 1
    assert html.index("cb-errors") < html.index("<form", html.index("<main"))


@pytest.mark.django_db
def test_a_password_reset_mail_has_its_link_on_a_line_of_its_own(
    client: Client, mailoutbox: list[EmailMessage]
) -> None:
    get_user_model().objects.create_user("orlova", "orlova@example.org", "a-long-passphrase")
    client.post(reverse("password_reset"), {"email": "orlova@example.org"})
    lines = str(mailoutbox[0].body).splitlines()
    assert mailoutbox[0].subject == "A new password for Casebook"
    assert [line for line in lines if re.fullmatch(r"http://testserver/account/reset/\S+/", line)]
    assert "Your username: orlova" in lines
