"""All settings of Casebook, read once from the environment (see .env.example for every variable).

Two modes: local (the default: everything works with no configuration at all) and production
(CASEBOOK_PRODUCTION=1: secrets are required, cookies and redirects are strict, sign-up is closed).
"""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from casebook.environment import (
    BASE_DIR,
    load_environment,
    read_choice,
    read_database,
    read_flag,
    read_list,
    read_or_create_secret,
    read_secret,
    read_text,
    read_whole_number,
)

load_environment()

PRODUCTION = read_flag("CASEBOOK_PRODUCTION", default=False)
DEBUG = read_flag("DEBUG", default=False)

# --- Where data live: the database, the queue and the uploads; never inside what is served -----------------
DATA_DIR = Path(read_text("CASEBOOK_DATA_DIR", str(BASE_DIR / "var"))).resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)  # other users of the machine have no business there
MEDIA_ROOT = DATA_DIR / "media"
# Uploads have no URL: views check access and send them as attachments.
MEDIA_URL = ""

# --- Who we are, and who may talk to us ---------------------------------------------------------------------
if PRODUCTION:
    SECRET_KEY = read_secret("SECRET_KEY")
    ALLOWED_HOSTS = read_list("ALLOWED_HOSTS")
else:
    SECRET_KEY = read_secret("SECRET_KEY", "") or read_or_create_secret(DATA_DIR / "secret-key")
    ALLOWED_HOSTS = read_list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = read_list("CSRF_TRUSTED_ORIGINS", [])
OPEN_SIGNUP = read_flag("CASEBOOK_OPEN_SIGNUP", default=not PRODUCTION)

INSTALLED_APPS = [
    "casebook.apps.CasebookConfig",
    "ensemble.apps.EnsembleConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "axes",
    "crispy_bootstrap5",
    "crispy_forms",
    "csp",
    "django_htmx",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",  # last: it turns a lock-out of the log-in into its page
]
ROOT_URLCONF = "casebook.urls"
WSGI_APPLICATION = "casebook.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Database -----------------------------------------------------------------------------------------------
_database = read_database("DATABASE_URL", None if PRODUCTION else f"sqlite:///{DATA_DIR / 'db.sqlite3'}")
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] |= {
        # A transaction that reads and then writes must hold the write lock from its start: upgrading later
        # fails at once when another writer came in between, whatever the time-out.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        # FULL: a committed run survives a power cut. The last busy_timeout given wins, so it repeats 30 s.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=30000;"
        "PRAGMA foreign_keys=ON",
    }
    # Threads of a test share a real file (an in-memory database would answer "table is locked"); its name is
    # per process, so that several test runs do not meet.
    _database["TEST"] = {"NAME": Path(tempfile.gettempdir()) / f"casebook-test-{os.getpid()}.sqlite3"}
else:
    _database |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DATABASES: dict[str, dict[str, Any]] = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Queue: three of them, so that a person's try never waits behind a thousand runs or a report ------------
CELERY_BROKER_URL = read_secret("CELERY_BROKER_URL", f"sqla+sqlite:///{DATA_DIR / 'queue.sqlite3'}")
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {"connect_args": {"timeout": 30}} if CELERY_BROKER_URL.startswith("sqla+sqlite") else {}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_IMPORTS = (
    "ensemble.worker",
    "casebook.worker",
)  # loaded by workers only: sweeping, the pulse, stopping gently
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "runs"
CELERY_TASK_ROUTES = {
    "ensemble.tasks.make_exploratory_runs": {"queue": "exploratory"},
    "ensemble.tasks.check_endpoint": {"queue": "exploratory"},
    "ensemble.tasks.work_on_experiment": {"queue": "runs"},
    "ensemble.tasks.sweep": {"queue": "runs"},
    "casebook.tasks.propose_paraphrases": {"queue": "exploratory"},
    "casebook.tasks.sweep_proposals": {"queue": "exploratory"},
    "casebook.tasks.render_report": {"queue": "reports"},
    "casebook.tasks.sweep_reports": {"queue": "reports"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

# --- Accounts -----------------------------------------------------------------------------------------------
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "casebook:home"
LOGOUT_REDIRECT_URL = "casebook:home"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# By name and address together: a stranger who guesses cannot lock the owner out from elsewhere.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = read_whole_number("LOGIN_FAILURE_LIMIT", 8, minimum=1)
AXES_COOLOFF_TIME = timedelta(minutes=read_whole_number("LOGIN_COOLOFF_MINUTES", 15, minimum=1))
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False  # no banner at every start
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"

# --- Languages and time -------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ru", _("Russian"))]
LOCALE_PATHS = [BASE_DIR / "casebook" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Static files: in production, names carry a hash of the content and never expire ------------------------
STATIC_URL = "static/"
# Locally they are served from where they are.
STATIC_ROOT = read_text("CASEBOOK_STATIC_DIR", str(BASE_DIR / "staticfiles")) if PRODUCTION else None
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# --- Uploads ------------------------------------------------------------------------------------------------
MIB = 1024 * 1024
# Text fields of one form: a pasted conversation of 200 long turns and a disputed answer of 1 MB fit.
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * MIB
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
# A form says itself how many files it takes; beyond this limit the answer is a bare 400, and typed text is lost.
DATA_UPLOAD_MAX_NUMBER_FILES = 200
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * MIB
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
EXHIBIT_MAX_BYTES = read_whole_number("CASEBOOK_EXHIBIT_MAX_MB", 20, minimum=1) * MIB
CASE_QUOTA_BYTES = read_whole_number("CASEBOOK_CASE_QUOTA_MB", 200, minimum=1) * MIB

# --- What a browser may do with our pages -------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "img-src": ["'self'", "data:"],  # data: for the icons inside Bootstrap's style sheet
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = read_flag("SECURE_SSL_REDIRECT", default=PRODUCTION)
# A load balancer asks over plain HTTP from inside.
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = read_whole_number("HSTS_SECONDS", 31_536_000 if PRODUCTION else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = read_flag("HSTS_SUBDOMAINS", default=PRODUCTION)
if read_flag("TRUST_PROXY_HEADER", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Mail: without a server, a local install prints it and a production install sends none --------------------
# (a log must not hold a password-reset link)
EMAIL_HOST = read_text("EMAIL_HOST", "")
EMAIL_PORT = read_whole_number("EMAIL_PORT", 587, minimum=1)
EMAIL_HOST_USER = read_text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = read_secret("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = read_flag("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = read_text("DEFAULT_FROM_EMAIL", "casebook@localhost")
EMAIL_BACKEND = "django.core.mail.backends." + (
    "smtp.EmailBackend" if EMAIL_HOST else "dummy.EmailBackend" if PRODUCTION else "console.EmailBackend"
)

# --- Logs: one line of key=value pairs per event; prompts and answers never appear in them ------------------
LOG_LEVEL = read_choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"tasks": {"()": "casebook.logs.TaskErrorFilter"}},
    "formatters": {"line": {"()": "casebook.logs.LineFormatter", "with_error_text": DEBUG}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # Django's own handlers print to the console in debug mode only, and mail otherwise.
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "celery": {"level": "WARNING"},
        "celery.app.trace": {"filters": ["tasks"]},
        # SQL carries prompts and answers as parameters.
        "django.db.backends": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
    },
}
