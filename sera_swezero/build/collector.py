"""The garbage collector while rows are converted."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Have the garbage collector look at hardly anything.

    Rows are values without cycles, and what was imported before is half a million objects that the collector would walk
    again and again: some 4 % of a conversion.
    """
    threshold = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.unfreeze()
