"""Faults that a test orders: which request they hit, how often, and what goes wrong."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from tests.hub.messages import Ask

Kind = Literal[
    "status",  # answer `status` (with Retry-After if `retry_after`), nothing handled
    "reset_before",  # connection reset, nothing handled
    "reset_after",  # the request is handled, then the connection reset: a lost answer
    "reset_mid_body",  # connection reset once `after` bytes of the answer's body went out
    "truncated",  # clean close after `after` bytes, though Content-Length promised more
    "wrong_content_range",  # a range of the right end and a later start is answered, and says so
    "ignore_range",  # 200 with the whole file though a range was asked for
    "stale_redirect",  # the redirect leads to an expired signed URL, which answers `status` (403 or 404)
    "stall",  # silence for `seconds`: before the request is handled, or after `after` bytes if that is given
    "latency",  # `seconds` more per request
    "bandwidth",  # the answer at `bytes_per_second`, its head too; from byte `after` of its body on if that is given
    "compressed",  # the body comes compressed by gzip, though identity was asked for
    "hook",  # call `hook(ask)`, then handle the request as usual
]


@dataclass
class Fault:
    """An order: `kind` happens to requests that match. `hits` counts how often it did.

    `path` is a regular expression searched for in the request's path (percent-encoded, without the query), `host` is
    "hub", "cdn" or "cas". The first `skip` matching requests are spared, and the next `times` are hit (None: all). The
    other fields belong to single kinds, see `Kind`; `status` is 500 unless given, and 403 for `stale_redirect`.
    """

    kind: Kind
    method: str | None = None
    path: str = ""
    host: str | None = None
    times: int | None = 1
    skip: int = 0
    status: int | None = None
    retry_after: int | None = None
    after: int | None = None
    seconds: float = 0.0
    bytes_per_second: int = 1 << 20
    hook: Callable[[Ask], None] | None = None
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"no fault of kind {self.kind!r}; there are {', '.join(get_args(Kind))}")
        self.status = self.status or (403 if self.kind == "stale_redirect" else 500)

    def matches(self, ask: Ask) -> bool:
        """Whether the order speaks of this request (and its `times` are not used up)."""
        return (
            (self.times is None or self.hits < self.times)
            and self.method in (None, ask.method)
            and self.host in (None, ask.host)
            and re.search(self.path, ask.path) is not None
        )


class Faults:
    """The faults in force. Safe to change while requests are under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._orders: list[Fault] = []

    def add(self, kind: Kind, **options: Any) -> Fault:
        """Order a fault: the fields of `Fault`. Raises ValueError for a kind that does not exist."""
        order = Fault(kind, **options)
        with self._lock:
            self._orders.append(order)
        return order

    def clear(self) -> None:
        """Lift all faults."""
        with self._lock:
            self._orders.clear()

    def take(self, ask: Ask) -> dict[Kind, Fault]:
        """The faults that hit this request, at most one of each kind, counted as hits (or as skipped)."""
        hit: dict[Kind, Fault] = {}
        with self._lock:
            for order in self._orders:
                if order.kind in hit or not order.matches(ask):
                    continue
                if order.skip:
                    order.skip -= 1
                    continue
                order.hits += 1
                hit[order.kind] = order
        return hit
