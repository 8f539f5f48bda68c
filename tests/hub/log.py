"""The request log: what the clients really asked for."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field


@dataclass
class Request:
    """One request and how it ended.

    `host` is "hub", "cdn" or "cas"; `path` is percent-encoded; `status` is 0 when no answer was sent; `sent` and
    `received` count body bytes; `authorized` says whether an Authorization header came along; `faults` names the
    injected faults that hit it.
    """

    host: str
    method: str
    path: str
    query: str
    range: str | None
    authorized: bool
    status: int = 0
    sent: int = 0
    received: int = 0
    faults: list[str] = field(default_factory=list)


class Log:
    """All requests in the order of their arrival."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: list[Request] = []

    def open(self, request: Request) -> None:
        """Note a request on arrival: a test that has its answer finds it in the log."""
        with self._lock:
            self._requests.append(request)

    def clear(self) -> None:
        """Forget what was noted so far."""
        with self._lock:
            self._requests.clear()

    def all(self) -> list[Request]:
        """A copy of the list."""
        with self._lock:
            return list(self._requests)
