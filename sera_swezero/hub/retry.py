"""Asking a server again: which errors are worth another attempt, how often to try and how long to wait in between."""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import sleep, time
from typing import TypeVar

from sera_swezero.errors import UpstreamError

_LOG = logging.getLogger("sera_swezero")
_T = TypeVar("_T")
_RESET = re.compile(r"(?:^|;)\s*t=(\d+)", re.ASCII)

TRANSPORTS = frozenset({"requests", "urllib3", "httpx", "httpcore", "httpx2", "httpcore2"})
"""The libraries that the hub's client sends with: requests (0.x), httpx (1.x) or httpx2 (2.x), and what they build on.
Their errors share no base class, so they are known by the library that defines them."""


class RetryableError(Exception):
    """An answer that is worth another request."""

    def __init__(self, problem: str, wait: float | None = None) -> None:
        super().__init__(problem)
        self.wait = wait
        """Seconds after which the server wants to be asked again, None if it does not say."""


class SteadyError(RetryableError):
    """An answer that a server tends to repeat: it is worth one more request, and no third."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often to try, and how long to wait: `first` seconds, then twice as long each time.

    Where the server names a longer wait, that counts instead, up to a bound.
    """

    attempts: int = 8
    """Attempts in a row that fail before the last error is raised."""
    first: float = 0.5
    """Seconds before the second attempt."""
    longest: float = 30.0
    """Seconds between two attempts at most, unless the server names a longer wait."""
    longest_named: float = 300.0
    """Seconds that the server may name at most: the hub counts requests in spans of five minutes."""

    def wait(self, attempt: int, error: BaseException) -> float:
        """Seconds to wait after an attempt, counted from 1. A random part keeps processes from asking all at once."""
        own = min(self.first * 2.0 ** (attempt - 1), self.longest) + random.uniform(0, self.first)
        return max(own, named_wait(error))


READING = RetryPolicy()
"""For reads: about a minute in all, if no answer names a wait."""


def with_retries(
    call: Callable[[], _T],
    what: str,
    policy: RetryPolicy,
    *,
    look: Callable[[], _T | None] | None = None,
    retry_on: Callable[[BaseException], bool] | None = None,
) -> _T:
    """Call until it succeeds, fails for good, or the attempts are used up; then the last error is raised.

    If the server names a wait beyond `policy.longest`, a warning says once what is being waited for.

    Args:
        call: one request that may fail.
        what: its name, for the log.
        policy: attempts and waits.
        look: called before every further attempt. It returns the result if the last attempt took effect although its
            answer was lost, else None.
        retry_on: which errors are worth another attempt; `is_transient` unless given.

    Raises:
        UpstreamError: the server names a wait that is longer than the policy allows, or has given two answers of the
            kind that it would give again and again (SteadyError).
    """
    worth_it = retry_on or is_transient
    attempt = 1
    steady = 0
    announced = False
    while True:
        try:
            if look is not None and attempt > 1:
                found = look()
                if found is not None:
                    return found
            return call()
        except Exception as error:
            if attempt == policy.attempts or not worth_it(error):
                raise
            steady += isinstance(error, SteadyError)
            if steady == 2:
                msg = f"{what}: two answers in a row were unusable: {in_words(error)}"
                raise UpstreamError(msg) from error
            named = named_wait(error)
            if named > policy.longest_named:
                most = f"more than the {policy.longest_named:,.0f} s that are waited at most"
                msg = f"{what}: {in_words(error)}: the server asks for a pause of {named:,.0f} s, {most}"
                raise UpstreamError(msg) from error
            seconds = policy.wait(attempt, error)
            level = logging.WARNING if named > policy.longest and not announced else logging.INFO
            announced = announced or level == logging.WARNING
            _LOG.log(level, "%s: attempt %d: %s; the next one in %.1f s", what, attempt, in_words(error), seconds)
        sleep(seconds)
        attempt += 1


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def status_of(error: BaseException) -> int | None:
    """The HTTP status of the answer that the error is about, None if there was no answer."""
    for cause in _causes(error):
        found = getattr(getattr(cause, "response", None), "status_code", None)
        if isinstance(found, int):
            return found
    return None


def is_busy(status: int) -> bool:
    """Whether an HTTP status means that the server may answer the same request later."""
    return status in {408, 425, 429} or status >= 500


def is_transport_error(error: BaseException) -> bool:
    """Whether a connection failed or broke off."""
    return type(error).__module__.partition(".")[0] in TRANSPORTS


def is_transient(error: BaseException) -> bool:
    """Whether asking again may help: the server is busy or broken for now, or the connection was."""
    from huggingface_hub.errors import OfflineModeIsEnabled

    status = status_of(error)
    if status is not None:
        return is_busy(status)
    return any(
        is_transport_error(cause)
        or (
            isinstance(cause, RetryableError | ConnectionError | TimeoutError)
            and not isinstance(cause, OfflineModeIsEnabled)
        )
        for cause in _causes(error)
    )


def named_wait(error: BaseException) -> float:
    """Seconds that the server asks to wait, 0 if it does not say."""
    for cause in _causes(error):
        if isinstance(cause, RetryableError):
            return cause.wait or 0.0
        headers = getattr(getattr(cause, "response", None), "headers", None)
        if headers is not None:
            return wait_in(headers) or 0.0
    return 0.0


def wait_in(headers: Mapping[str, str]) -> float | None:
    """The seconds that an answer asks to wait: `Retry-After` (seconds or a date), else the hub's `RateLimit`."""
    value = str(headers.get("Retry-After", "")).strip()
    if value.isascii() and value.isdecimal():
        return float(value)
    if value:
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - time())
        except (ValueError, OverflowError):
            return None
    reset = _RESET.search(str(headers.get("RateLimit", "")))
    return float(reset[1]) if reset else None


def in_words(error: BaseException) -> str:
    """An error in words, with its class where that says something."""
    name = "" if isinstance(error, RetryableError) else f"{type(error).__name__}: "
    return f"{name}{error}"
