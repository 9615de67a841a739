"""The main path as a person walks it, on real parts: sign up, log, try, lock, watch, read, download."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.model, pytest.mark.slow]

MINUTES = 60_000
PROMPT = "May I claim the bereavement fare refund after the trip? Answer yes or no first."
# What the page, the result and the report are called in each language.
WORDS = {
    "en": {"lock": "Lock and run", "sealed": "sealed", "title": "Refund after the trip"},
    "ru": {"lock": "Зафиксировать и запустить", "sealed": "опечатано", "title": "Возврат после поездки"},
}


@pytest.fixture(params=["en", "ru"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(browser: Browser, language: str) -> Iterator[Page]:
    """A visitor with a browser in this language; a script error or a blocked resource fails the test."""
    context = browser.new_context(locale=language, viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
    assert complaints == []


def sign_up(page: Page, site: str, username: str) -> None:
    page.goto(f"{site}/account/signup/")
    page.fill("[name=username]", username)
    for name in ("password1", "password2"):
        page.fill(f"[name={name}]", "correct horse 77 battery")
    page.click("main button[type=submit]")


def log_incident(page: Page, site: str, title: str) -> None:
    page.goto(f"{site}/cases/add/")
    values = {
        "title": title,
        "product": "Help desk",
        "provider": "Airline",
        "occurred_on": "2024-05",
        "system_prompt": "You are an airline assistant. Refunds must be requested before the trip.",
        "conversation": f"User: {PROMPT}\nAssistant: Yes, you may claim it within 90 days.",
        "disputed_answer": "Yes, you may claim it within 90 days.",
        "what_is_wrong": "Yes",
        "truth": "No",
        "disclaimer": "This assistant can make mistakes.",
    }
    for name, value in values.items():
        page.fill(f"[name={name}]", value)
    page.set_input_files(
        "[name=attachments]", {"name": "note.txt", "mimeType": "text/plain", "buffer": b"A note on the call."}
    )
    page.click("main form .cb-submit button.btn-primary")
    expect(page.locator("h1")).to_contain_text(title)


def plan_test(page: Page, runs: int) -> None:
    page.click("form[action$='/tests/add/'] button")
    page.check("[name=detector][value=text]")
    page.select_option("[name=match]", "starts with")
    page.fill("[name=error_phrases]", "yes")
    page.fill("[name=correct_phrases]", "no")
    page.fill("[name=max_tokens]", "16")
    page.fill("[name=runs]", str(runs))


def test_from_the_incident_to_the_report(page: Page, site: str, language: str, tmp_path: Path) -> None:
    words = WORDS[language]
    sign_up(page, site, f"visitor-{language}")
    expect(page.locator("html")).to_have_attribute("lang", language)
    log_incident(page, site, words["title"])

    plan_test(page, runs=20)
    page.fill("[name=count]", "3")
    page.click("button[name=action][value=try]")
    expect(page.locator("#tryouts-list tbody tr")).to_have_count(3, timeout=2 * MINUTES)

    lock = page.locator("button[name=action][value=lock]")
    expect(lock).to_have_text(words["lock"])
    lock.dblclick()
    page.wait_for_url("**/tests/1/")
    expect(page.locator(".cb-badge-sealed").first).to_have_text(words["sealed"], timeout=3 * MINUTES)
    expect(page.locator(".cb-headline-count").first).to_contain_text("20")

    page.click("form[action$='/reports/add/'] button")
    link = page.locator("a[href$='/download/']")
    expect(link).to_be_visible(timeout=MINUTES)
    with page.expect_download() as download:
        link.click()
    file = tmp_path / "report.pdf"
    download.value.save_as(file)
    with pikepdf.open(io.BytesIO(file.read_bytes())) as pdf:
        assert str(pdf.Root.Lang).startswith(language)
        assert {"result.json", "protocol.json"} <= set(pdf.attachments)


def test_a_sample_is_read_without_an_account_and_copied_with_one(
    page: Page, site: str, language: str
) -> None:
    page.goto(site)
    page.click("a[href='/samples/']")
    page.locator(".cb-card-title a").first.click()
    expect(page.locator(".cb-notice-illustration")).to_be_visible()
    sample = page.url
    sign_up(page, site, f"copier-{language}")
    page.goto(sample)
    page.click("form[action$='/copy/'] button")
    expect(page.locator("form[action$='/tests/add/'] button").first).to_be_visible()


def test_the_main_path_works_without_javascript(browser: Browser, site: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_up(page, site, "plain")
    log_incident(page, site, "No script")
    plan_test(page, runs=8)
    page.click("button[name=action][value=lock]")
    for _ in range(120):
        if page.locator(".cb-badge-sealed").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(page.locator(".cb-badge-sealed").first).to_be_visible()
    context.close()
