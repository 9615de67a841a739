"""Names in leases: who holds a piece of work, and whether that process has ended."""

from __future__ import annotations

import os
import socket
import sys
import threading
import uuid


def owner_name() -> str:
    """A name for one piece of work in leases: unique, and telling where it runs."""
    return f"{_host()}:{os.getpid()}:{threading.get_ident() % 10**6}:{uuid.uuid4().hex[:8]}"


def is_gone(owner: str) -> bool:
    """Whether the owner was a process of this machine that has ended; false whenever that cannot be known."""
    host, _, rest = owner.partition(":")
    number = rest.partition(":")[0]
    if host != _host() or not number.isdecimal() or sys.platform == "win32":
        return False
    try:
        os.kill(int(number), 0)  # sends nothing: asks whether there is such a process
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


def _host() -> str:
    return socket.gethostname().replace(":", "-")[:40]
