"""Calls in threads of their own: to wait for several at once, or for no longer than some time.

Only waiting is moved there. Reading a body in one thread while another one computes is slow in CPython: each piece
waits up to 5 ms for the interpreter lock, which limits pieces of 64 KB to 13 MB/s (measured).

Most calls of the hub's client take no timeout and wait without end for a server that stays silent. Their session is
shared by everyone in the process, so it is not ours to change. Such a call is therefore left alone when its time is up.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

_T = TypeVar("_T")

SILENCE = 150.0
"""Seconds after which a call of the hub's client counts as failed. The hub gives up on a commit after 60, but may still
make it later."""


def in_background(call: Callable[[], _T]) -> Future[_T]:
    """Start a call. Its thread is a daemon, so that a process may end while a server keeps it waiting."""
    result: Future[_T] = Future()

    def run() -> None:
        try:
            result.set_result(call())
        except BaseException as error:  # noqa: BLE001 (raised in the thread that waits)
            result.set_exception(error)

    Thread(target=run, daemon=True).start()
    return result


def within(seconds: float, call: Callable[[], _T], late: Callable[[_T], object] = bool) -> _T:
    """The result of a call, unless it takes longer than `seconds`. `late` gets a result that comes later, to close it.

    A call that takes longer may still take effect on the hub: treat it like one whose answer was lost.

    Raises:
        TimeoutError: the time is up; otherwise whatever the call raises.
    """
    result = in_background(call)
    try:
        return result.result(seconds)
    except TimeoutError:
        if result.done():  # the call's own
            raise
        result.add_done_callback(lambda done: done.exception() or late(done.result()))
        msg = f"no answer within {seconds:g} s"
        raise TimeoutError(msg) from None
