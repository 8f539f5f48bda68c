"""A time limit for calls of the hub's client.

Most of them take no timeout and wait without end for a server that stays silent. Their session is shared by everyone in
the process, so it is not ours to change. So the call gets a thread of its own, and is left there when the time is over.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

_T = TypeVar("_T")

SILENCE = 150.0
"""Seconds after which a call has failed. The hub gives up a commit after 60 and may still make it."""


def within(seconds: float, call: Callable[[], _T]) -> _T:
    """The result of a call that takes no longer than `seconds`.

    A call that takes longer is left alone in its thread, a daemon: what it may still do on the hub is to be treated as
    a lost answer.

    Raises:
        TimeoutError: the time is over; else whatever the call raises.
    """
    result: Future[_T] = Future()

    def run() -> None:
        try:
            result.set_result(call())
        except BaseException as error:  # noqa: BLE001 (raised in the thread that waits)
            result.set_exception(error)

    Thread(target=run, daemon=True).start()
    try:
        return result.result(seconds)
    except TimeoutError:
        if result.done():  # the call's own
            raise
        msg = f"no answer within {seconds:g} s"
        raise TimeoutError(msg) from None
