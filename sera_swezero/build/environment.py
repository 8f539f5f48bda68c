"""Variables of a process that builds. They work only if they are set before the process imports Arrow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLES = {
    # Otherwise numpy, which Arrow imports, would start a thread per core for algebra that is not used here.
    "OPENBLAS_NUM_THREADS": "1",
    # Arrow's memory goes back to the system after 10 ms of rest, and is cleared by the system when it is needed for the
    # next row group: 3 % of the time of a build.
    "MIMALLOC_PURGE_DELAY": "-1",
}


def prepare() -> None:
    """Set the variables, except those that the user has set."""
    for name, value in VARIABLES.items():
        os.environ.setdefault(name, value)


@contextmanager
def prepared() -> Iterator[None]:
    """Set the variables for the processes that are started in this block."""
    before = {name: os.environ.get(name) for name in VARIABLES}
    prepare()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
