"""One of the processes of a build: it takes units off a common list until none is left.

Every process takes the next unit when it has done with one, so nobody waits for others but at the very end, and a
process that starts late, or reads slowly, does less. Spawned processes import this module and little else.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Any

from sera_swezero.build import unit_files
from sera_swezero.build.manifest import BuiltShard
from sera_swezero.build.unit_files import Unit

_LOG = logging.getLogger("sera_swezero")

Tell = dict[str, tuple[int, int, int]]
"""Per config: rows written, raw bytes read, shards done."""

Made = dict[str, BuiltShard]
"""What was built, by the unit's stem."""


class Board:
    """What the processes of a build know of each other: how many units are taken, and how far each config is.

    Args:
        names: the configs.
        context: of the processes; None where there is one alone.
    """

    def __init__(self, names: Sequence[str], context: SpawnContext | None = None) -> None:
        self._places = {name: 3 * index + 1 for index, name in enumerate(names)}
        size = 3 * len(names) + 1
        self._numbers: Any = [0] * size
        self._lock: AbstractContextManager[object] = nullcontext()
        if context is not None:
            shared = context.Array("q", size)
            self._numbers, self._lock = shared, shared.get_lock()

    def take(self) -> int:
        """The number of the next unit, which is now the caller's; beyond the last one, there is none."""
        with self._lock:
            number = int(self._numbers[0])
            self._numbers[0] = number + 1
        return number

    def add(self, name: str, rows: int, size: int, shards: int) -> None:
        """Count what was done for a config."""
        place = self._places[name]
        with self._lock:
            for index, more in enumerate((rows, size, shards), place):
                self._numbers[index] += more

    def state(self) -> Tell:
        """How far each config is."""
        told = self._numbers[:]
        return {name: (told[at], told[at + 1], told[at + 2]) for name, at in self._places.items()}


def work(units: Sequence[Unit], out: Path, board: Board, look: Callable[[], None] = lambda: None) -> Made:
    """Do units until all are taken; `look` is called after every row. Gives what this process built.

    Raises:
        UpstreamError, ConfigError: as `shard.build_shard`.
    """
    made: Made = {}
    while (number := board.take()) < len(units):
        unit = units[number]

        def told(rows: int, size: int, name: str = unit.name) -> None:
            board.add(name, rows, size, 0)
            look()

        made[unit.stem] = unit_files.build_shard(unit, out, told)
        board.add(unit.name, 0, 0, 1)
    return made


_BOARD: Board | None = None


def start(board: Board) -> None:
    """Ready a worker: Ctrl-C is the parent's to handle, and a worker whose parent is gone must not go on alone."""
    global _BOARD  # noqa: PLW0603 (the one thing a pool's worker can be handed at its start)
    _BOARD = board
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _LOG.setLevel(logging.ERROR)  # the parent tells of rejected rows, where it does not break the bars
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def work_in_pool(units: Sequence[Unit], out: Path) -> Made:
    """`work` in a process that was readied by `start`."""
    if _BOARD is None:
        msg = "a worker that was not readied"
        raise RuntimeError(msg)
    return work(units, out, _BOARD)


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
