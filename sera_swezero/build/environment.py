"""The environment of a process that builds: without a thread per core for algebra.

numpy, which Arrow imports, starts such threads when it is itself imported, and nothing here uses them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLE = "OPENBLAS_NUM_THREADS"


def prepare() -> None:
    """Set the variable, unless the user has set it. Call this before anything imports Arrow."""
    os.environ.setdefault(VARIABLE, "1")


@contextmanager
def prepared() -> Iterator[None]:
    """Set the variable for the processes that are started in this block."""
    before = os.environ.get(VARIABLE)
    prepare()
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
