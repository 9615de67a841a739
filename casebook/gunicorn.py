"""gunicorn's configuration, for a laptop and a server alike: `gunicorn --config python:casebook.gunicorn`."""

from __future__ import annotations

from casebook.environment import load_environment, read_text, read_whole_number

load_environment()

bind = f"{read_text('WEB_HOST', '127.0.0.1')}:{read_whole_number('PORT', 8000, minimum=1)}"
workers = read_whole_number("WEB_WORKERS", 1, minimum=1)
threads = read_whole_number("WEB_THREADS", 8, minimum=1)
worker_class = "gthread"
# A page never works for long (tasks do), but the upload of exhibits may be slow.
timeout = 60
graceful_timeout = 5
# The control socket would be one more thing in the user's home directory.
control_socket_disable = True
# Access lines would hold search words; errors come from gunicorn only when something is wrong.
accesslog = None
loglevel = "warning"
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "casebook.logs.LineFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "gunicorn.error": {"handlers": [], "propagate": True},
        # Django leaves it to the server to drop the body of an answer to HEAD; no need to report it each time.
        "gunicorn.http.wsgi": {"level": "ERROR"},
    },
}
