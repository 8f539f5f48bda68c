"""How often Python's garbage collector looks while rows are made.

Rows are values without cycles, so it finds hardly anything, and would walk half a million imported objects again and
again: some 4 % of a conversion, and a tenth of what it takes to import them.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Have the collector look rarely in this block, and never at what is there already."""
    threshold = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.unfreeze()
