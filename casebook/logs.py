"""Log lines that a person and a program can read, and that never hold what a user wrote."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime

from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.template import TemplateDoesNotExist, TemplateSyntaxError

# The text of these errors is about files, servers and code. That of any other may quote a value: a database
# that refuses a row shows the row, and the row may be a prompt.
TELLING_ERRORS = (
    OSError, ImportError, NameError, AttributeError, TypeError, ImproperlyConfigured, OperationalError,
    TemplateDoesNotExist, TemplateSyntaxError,
)  # fmt: skip


class LineFormatter(logging.Formatter):
    """Format a record as `time=… level=… logger=… message="…"`, always on one line."""

    def __init__(self, *, with_error_text: bool = False) -> None:
        super().__init__()
        self.with_error_text = with_error_text

    def format(self, record: logging.LogRecord) -> str:
        pairs = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1]:
            pairs |= self._describe_error(record.exc_info[1])
        return " ".join(f"{key}={_quote_value(value)}" for key, value in pairs.items())

    def _describe_error(self, error: BaseException) -> dict[str, str]:
        frames = traceback.extract_tb(error.__traceback__)
        described = {
            "error": type(error).__qualname__,
            "at": " > ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames),
        }
        if self.with_error_text or isinstance(error, TELLING_ERRORS):
            described["error_text"] = str(error)
        return described


def _quote_value(value: str) -> str:
    if value and all(character.isalnum() or character in "-+_.:/" for character in value):
        return value
    return json.dumps(value, ensure_ascii=False)


class TaskErrorFilter(logging.Filter):
    """Keep the text of a failed task's error out of the message that Celery composes; its type stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, dict) and record.exc_info and record.exc_info[0]:
            record.args = {**record.args, "exc": record.exc_info[0].__qualname__, "traceback": ""}
        return True
