"""The measuring engine: protocols, model calls, ledger and statistics. It knows nothing of law, people or pages."""

from __future__ import annotations

__version__ = "0.1.0"
