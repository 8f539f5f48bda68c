"""Asking the hub until it answers: its client leaves most calls unretried, and waits for ever for a silent server."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import huggingface_hub
import tenacity

_LOG = logging.getLogger("sera_swezero")
_T = TypeVar("_T")

_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
# The client's transport by version: requests (0.x), httpx (1.x), httpx2 (2.x).
_TRANSPORTS = frozenset({"requests", "urllib3", "httpx", "httpcore", "httpx2", "httpcore2"})

TIMEOUT = 150.0
"""Seconds without a byte after which a request has failed. The hub gives up a commit after 60 and may still make it."""


@dataclass(frozen=True)
class Patience:
    """How often to ask and how long to wait in between: `first` seconds, then twice as long each time.

    A Retry-After of the hub counts instead where it is longer. No wait is longer than `longest` seconds.
    """

    attempts: int = 7
    first: float = 1.0
    longest: float = 60.0

    def wait(self, state: tenacity.RetryCallState) -> float:
        """Seconds until the next attempt."""
        error = state.outcome.exception() if state.outcome else None
        own = self.first * 2.0 ** (state.attempt_number - 1)
        return min(max(own, retry_after(error) if error else 0.0), self.longest)


def insist(
    call: Callable[[], _T],
    what: str,
    patience: Patience,
    *,
    look: Callable[[], _T | None] | None = None,
    passing: Callable[[BaseException], bool] | None = None,
) -> _T:
    """Call until it succeeds, fails for good, or patience ends; then the last error is raised.

    Args:
        call: one request that may fail.
        what: its name, for the log.
        patience: attempts and waits.
        look: asked before every further attempt: the result if the last one took effect though its answer was lost.
        passing: which errors are worth another attempt, `transient` unless given.
    """
    for attempt in tenacity.Retrying(
        stop=tenacity.stop_after_attempt(patience.attempts),
        wait=patience.wait,
        retry=tenacity.retry_if_exception(passing or transient),
        before_sleep=lambda state: _tell(what, state),
        reraise=True,
    ):
        with attempt:
            limit_waiting()
            if look is not None and attempt.retry_state.attempt_number > 1:
                found = look()
                if found is not None:
                    return found
            return call()
    raise AssertionError(what)  # the last attempt returns or raises


def _tell(what: str, state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    seconds = state.next_action.sleep if state.next_action else 0.0
    _LOG.info("%s: %s; again in %.1f s", what, error, seconds)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__


def status(error: BaseException) -> int | None:
    """The HTTP status of the answer that the error is about, None if there was none."""
    for one in causes(error):
        found = getattr(getattr(one, "response", None), "status_code", None)
        if isinstance(found, int):
            return found
    return None


def transient(error: BaseException) -> bool:
    """Whether asking again may help: the server is busy or broken for now, or the connection was."""
    answered = status(error)
    if answered is not None:
        return answered in _PASSING
    return any(
        isinstance(one, ConnectionError | TimeoutError) or type(one).__module__.partition(".")[0] in _TRANSPORTS
        for one in causes(error)
    )


def any_error(error: BaseException) -> bool:
    """For steps that change nothing and hide the transport's error behind one of their own."""
    return isinstance(error, Exception)


def retry_after(error: BaseException) -> float:
    """Seconds that the hub asks to wait, 0 if it does not say."""
    for one in causes(error):
        headers = getattr(getattr(one, "response", None), "headers", None) or {}
        value = str(headers.get("Retry-After", ""))
        if value.isdigit():
            return float(value)
    return 0.0


def limit_waiting() -> None:
    """Put a time limit on every request of the hub's client that has none; all its sessions share it."""
    utils: Any = huggingface_hub.utils
    session = utils.get_session()
    if hasattr(session, "event_hooks"):
        hooks = session.event_hooks
        if _limit not in hooks["request"]:
            session.event_hooks = {**hooks, "request": [*hooks["request"], _limit]}
        return
    for adapter in session.adapters.values():
        if "send" not in vars(adapter):
            adapter.send = _limited(adapter.send)


def _limit(request: Any) -> None:
    """A hook of httpx: `timeout=None`, which most of the client's calls pass, means for ever."""
    given = request.extensions.get("timeout") or {}
    for name in ("connect", "read", "write", "pool"):
        if given.get(name) is None:
            given[name] = TIMEOUT
    request.extensions["timeout"] = given


def _limited(send: Callable[..., Any]) -> Callable[..., Any]:
    """The same for an adapter of requests."""

    def limited(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = TIMEOUT
        return send(*args, **kwargs)

    return limited
