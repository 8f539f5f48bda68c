"""Streams that are half read when the interpreter exits."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Generator
from contextlib import suppress
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from weakref import WeakSet

_P = ParamSpec("_P")
_T = TypeVar("_T")
_living: WeakSet[Generator[Any, None, None]] = WeakSet()


def closed_at_exit(function: Callable[_P, Generator[_T]]) -> Callable[_P, Generator[_T]]:
    """Have the generators of a function closed at the interpreter's exit, while the modules are still there.

    The interpreter itself closes what is left only after it has emptied the modules. Then `except` and `finally` find
    neither the classes nor the log that they name.
    """

    @wraps(function)
    def begin(*args: _P.args, **kwargs: _P.kwargs) -> Generator[_T]:
        generator = function(*args, **kwargs)
        _living.add(generator)
        return generator

    return begin


@atexit.register
def _close() -> None:
    for generator in list(_living):
        with suppress(ValueError):  # a daemon thread is running it at this moment
            generator.close()
