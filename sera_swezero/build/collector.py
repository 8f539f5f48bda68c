"""How often Python's garbage collector runs while rows are made.

Rows are values without cycles, so it finds hardly anything, but would walk half a million imported objects again and
again. That would take some 4 % of a conversion, and a tenth of the time of the imports.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_collector() -> Iterator[None]:
    """Have the collector run rarely in this block, and never look at the objects that exist already."""
    threshold = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*threshold)
        gc.unfreeze()
