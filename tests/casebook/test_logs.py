from __future__ import annotations

import logging
import sys

import pytest
from django.test import Client

from casebook.logs import LineFormatter, TaskErrorFilter

PROMPT = "May I claim the refund after the trip?"


def make_record(message: str, *args: object, error: BaseException | None = None) -> logging.LogRecord:
    info = None
    if error is not None:
        try:
            raise error
        except BaseException:
            info = sys.exc_info()
    return logging.LogRecord("casebook.test", logging.ERROR, __file__, 1, message, args, info)


def test_a_record_is_one_line_of_pairs() -> None:
    line = LineFormatter().format(make_record('two\nlines and a "quote" for %s', 7))
    assert line.startswith("time=20")
    assert line.endswith(r'level=error logger=casebook.test message="two\nlines and a \"quote\" for 7"')


def test_the_text_of_an_error_that_may_quote_people_is_left_out() -> None:
    line = LineFormatter().format(make_record("failed", error=ValueError(PROMPT)))
    assert PROMPT not in line
    assert "error=ValueError" in line
    assert "test_logs.py" in line


def test_the_text_of_an_error_about_files_and_servers_is_kept() -> None:
    line = LineFormatter().format(make_record("failed", error=ConnectionRefusedError("connection refused")))
    assert 'error_text="connection refused"' in line


def test_developers_see_all_texts() -> None:
    assert PROMPT in LineFormatter(with_error_text=True).format(
        make_record("failed", error=ValueError(PROMPT))
    )


def test_what_celery_says_of_a_failed_task_names_the_error_without_its_text() -> None:
    record = make_record("Task %(name)s: %(exc)s", error=ValueError(PROMPT))
    record.args = {"name": "ensemble.tasks.sweep", "exc": repr(ValueError(PROMPT)), "traceback": PROMPT}
    assert TaskErrorFilter().filter(record)
    assert record.getMessage() == "Task ensemble.tasks.sweep: ValueError"


@pytest.mark.django_db
def test_a_page_that_fails_logs_no_query(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    client.get("/nowhere", {"q": PROMPT})
    assert [record.getMessage() for record in caplog.records] == ["Not Found: /nowhere"]
