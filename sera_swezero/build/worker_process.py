"""One of the processes of a build: it takes groups of units from a common list until none is left.

Every process takes the next group when it has finished one. So no process waits for others before the very end, and one
that starts late or reads slowly does less. Spawned processes import this module and little else.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext, SpawnProcess
from pathlib import Path
from typing import Any, NamedTuple

from sera_swezero.build.build_shard import build_shards
from sera_swezero.build.manifest import BuiltShard
from sera_swezero.build.unit_files import Unit

Built = dict[str, BuiltShard]
"""What was built, by the unit's stem."""

Group = tuple[Unit, ...]
"""Units that are built from one reading."""


class Progress(NamedTuple):
    """How much of a config is done."""

    rows: int
    raw_bytes: int
    shards: int


class Board:
    """What the processes of a build share: how many groups are taken, and how much of each config is done.

    Args:
        names: the configs.
        context: the context of the processes; None if there is only one process.
    """

    def __init__(self, names: Sequence[str], context: SpawnContext | None = None) -> None:
        width = len(Progress._fields)
        self._places = {name: slice(1 + width * index, 1 + width * (index + 1)) for index, name in enumerate(names)}
        size = 1 + width * len(names)
        self._numbers: Any = [0] * size
        self._lock: AbstractContextManager[object] = nullcontext()
        if context is not None:
            shared = context.Array("q", size)
            self._numbers, self._lock = shared, shared.get_lock()

    def take(self) -> int:
        """Return the number of the next group, which is now the caller's. There may be no group with that number."""
        with self._lock:
            number = int(self._numbers[0])
            self._numbers[0] = number + 1
        return number

    def add(self, name: str, rows: int, raw_bytes: int, shards: int) -> None:
        """Count what was done for a config."""
        place = self._places[name]
        with self._lock:
            before = self._numbers[place]
            self._numbers[place] = [a + b for a, b in zip(before, (rows, raw_bytes, shards), strict=True)]

    def state(self) -> dict[str, Progress]:
        """How much of each config is done."""
        numbers = self._numbers[:]
        return {name: Progress(*numbers[place]) for name, place in self._places.items()}


def work(groups: Sequence[Group], out: Path, board: Board, after_row: Callable[[], None] = lambda: None) -> Built:
    """Build groups of units until all are taken, and return what this process built.

    Raises:
        UpstreamError, ConfigError: as `build_shards`.
    """

    def on_progress(unit: Unit, rows: int, raw_bytes: int) -> None:
        board.add(unit.name, rows, raw_bytes, 0)
        after_row()

    built: Built = {}
    while (number := board.take()) < len(groups):
        group = groups[number]
        for unit, shard in zip(group, build_shards(group, out, on_progress), strict=True):
            built[unit.stem] = shard
            board.add(unit.name, 0, 0, 1)
    return built


def start(
    context: SpawnContext, groups: Sequence[Group], out: Path, board: Board
) -> tuple[Connection[None, Built | Exception], SpawnProcess]:
    """Start a process that builds units. Through its connection comes what it built, or the error that ended it."""
    answers, its_end = context.Pipe(duplex=False)
    process = context.Process(target=_work_and_answer, args=(its_end, groups, out, board))
    process.start()
    its_end.close()
    return answers, process


def _work_and_answer(
    answers: Connection[Built | Exception, None], groups: Sequence[Group], out: Path, board: Board
) -> None:
    """Work in a process that was started. The parent handles interrupts; if the parent is gone, the process ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        threading.Thread(target=_leave_with_parent, daemon=True).start()
        answers.send(work(groups, out, board))
    except Exception as error:  # noqa: BLE001 (the parent raises it)
        error.add_note(traceback.format_exc())
        answers.send(error)


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
