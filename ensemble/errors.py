"""Errors that the engine raises for its callers to handle."""

from __future__ import annotations


class EnsembleError(Exception):
    """Base of all errors of the engine."""


class ProtocolError(EnsembleError, ValueError):
    """A protocol, or a part of one, is not valid; `field` names the part."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class EndpointError(EnsembleError):
    """A call to a model endpoint did not yield an answer.

    `transient` says whether the same request may succeed later; `retry_after_seconds` is the server's own word on
    when. The message is shown to people and recorded: adapters must keep keys and prompts out of it.
    """

    def __init__(self, message: str, *, transient: bool, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.transient = transient
        self.retry_after_seconds = retry_after_seconds


class StateError(EnsembleError):
    """The test is not in a state that allows this; the message says which state it is in."""
