"""Asking a server again: how often, and how long to wait in between."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time

import tenacity

_LOG = logging.getLogger("sera_swezero")

ATTEMPTS = 8
"""Attempts in a row that bring nothing before reading gives up: about a minute where no answer names a time."""

LONGEST_WAIT = 300.0
"""Seconds between two attempts at most, whatever is asked for: the hub counts requests in spans of five minutes."""

_RESET = re.compile(r"(?:^|;)\s*t=(\d+)")


class AgainError(Exception):
    """An answer that is worth another request, `wait` seconds later if the server said when."""

    def __init__(self, problem: str, wait: float | None = None) -> None:
        super().__init__(problem)
        self.wait = wait


def retrying(kinds: tuple[type[Exception], ...], place: str) -> tenacity.Retrying:
    """Call something up to `ATTEMPTS` times while it raises one of `kinds`; the last is raised, the others logged."""

    def tell(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        _LOG.info("%s: attempt %d of %d: %s", place, state.attempt_number, ATTEMPTS, told(error or Exception()))

    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=_pause,
        retry=tenacity.retry_if_exception_type(kinds),
        before_sleep=tell,
        reraise=True,
    )


def named_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds that an answer asks to wait: `Retry-After` (seconds or a date), else the hub's `RateLimit`."""
    told = headers.get("Retry-After", "").strip()
    if told.isdigit():
        return float(told)
    if told:
        try:
            return max(0.0, parsedate_to_datetime(told).timestamp() - time())
        except ValueError:
            return None
    reset = _RESET.search(headers.get("RateLimit", ""))
    return float(reset[1]) if reset else None


_backoff = tenacity.wait_exponential(multiplier=0.5, max=30.0) + tenacity.wait_random(0, 0.5)


def _pause(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    named = error.wait if isinstance(error, AgainError) else None
    return min(named, LONGEST_WAIT) if named is not None else _backoff(state)


def told(error: BaseException) -> str:
    """An error in words, with its class where that says something."""
    name = "" if isinstance(error, AgainError) else f"{type(error).__name__}: "
    return f"{name}{error}"
