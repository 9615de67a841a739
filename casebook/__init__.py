"""Casebook: the web application for AI-liability case analysis, and the Django project package."""

from __future__ import annotations

# Without this import, shared tasks would bind to Celery's default app instead of ours.
from casebook.celery import app as celery_app

__version__ = "0.1.0"
__all__ = ["__version__", "celery_app"]
