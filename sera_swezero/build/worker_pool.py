"""A build in parallel processes, including this one. It shows progress, and leaves nothing half done when it stops."""

from __future__ import annotations

import errno
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from sera_swezero.build import environment, unit_files, worker_process
from sera_swezero.build.unit_files import Unit
from sera_swezero.build.worker_process import Board, Built, Group
from sera_swezero.display.formatting import how_ended
from sera_swezero.display.progress import progress_bars
from sera_swezero.errors import BuildError

_POLL = 0.1  # seconds between two looks at the other processes
_GO_ON = (
    "what is done stays; run the same command again to go on, with fewer workers where memory or processes are short"
)


def run(units: Sequence[Unit], out: Path, workers: int | None, *, bars: bool) -> Built:
    """Build the units that are not done yet, and return all of them by stem.

    Raises:
        UpstreamError, ConfigError, OSError: as `build_shards`.
        BuildError: there is too little memory, or another process of the build cannot be started or was killed.
    """
    entries = {unit.stem: unit_files.finished(unit, out) for unit in units}
    built = {stem: entry for stem, entry in entries.items() if entry is not None}
    todo = [unit for unit in units if unit.stem not in built]
    if todo:
        unit_files.sweep(out)
        built |= _work(todo, out, min(workers or cores(), len(todo)), bars=bars)
    return built


def _work(todo: Sequence[Unit], out: Path, workers: int, *, bars: bool) -> Built:
    """Build units in that many processes."""
    groups = group(todo, workers)
    names = list(dict.fromkeys(unit.name for unit in todo))
    sizes = {name: sum(unit.size for unit in todo if unit.name == name) for name in names}
    counts = {name: sum(unit.name == name for unit in todo) for name in names}
    # Fresh processes on every system: a forked one would inherit threads of Arrow and sockets of the hub's client.
    context = multiprocessing.get_context("spawn")
    board = Board(names, context if workers > 1 else None)
    others: dict[Connection[None, Built | Exception], SpawnProcess] = {}
    built: Built = {}
    due = 0.0
    with progress_bars(sizes, visible=bars) as show, _stopping(out):

        def look_around(timeout: float = 0) -> None:
            """Draw the progress, and take over what processes built that have ended."""
            nonlocal due
            if timeout or time.monotonic() >= due:
                due = time.monotonic() + _POLL
                ready = wait(others, timeout) if others else ()
                for answers in [one for one in others if one in ready]:
                    built.update(_answer(answers, others.pop(answers)))
                for name, progress in board.state().items():
                    show(name, progress.raw_bytes, progress.rows, f"{progress.shards}/{counts[name]} shards")

        try:
            with environment.prepared():
                others |= (worker_process.start(context, groups, out, board) for _ in range(workers - 1))
        except OSError as error:
            msg = f"no more than {len(others) + 1} processes can be started: {error.strerror}; {_GO_ON}"
            raise BuildError(msg) from error
        built |= worker_process.work(groups, out, board, look_around)
        while others:
            look_around(_POLL)
        look_around(_POLL)
    return built


def group(todo: Sequence[Unit], workers: int) -> list[Group]:
    """Put units that share a reading together, unless a process would then have nothing to do."""
    together: dict[str, list[Unit]] = {}
    for unit in todo:
        together.setdefault(unit.reads, []).append(unit)
    return [tuple(sharing) for sharing in together.values()] if len(together) >= workers else [(unit,) for unit in todo]


def _answer(answers: Connection[None, Built | Exception], process: SpawnProcess) -> Built:
    """What a process that has ended built. Raises the error that ended it."""
    try:
        answer = answers.recv()
    except (EOFError, OSError):
        process.join()
        msg = f"a process of the build {how_ended(process.exitcode or 0)}; {_GO_ON}"
        raise BuildError(msg) from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def cores() -> int:
    """How many cores this process may use. On a cluster these are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _stopping(out: Path) -> Iterator[None]:
    """On an interrupt or an error, end the other processes and remove their half-written files."""
    before = set(multiprocessing.active_children())
    try:
        yield
    except BaseException as error:
        started = set(multiprocessing.active_children()) - before
        for process in started:
            process.kill()
        for process in started:
            process.join()
        # The interrupt may have come before this process could remove its own files.
        unit_files.sweep(out, {os.getpid(), *(process.pid for process in started if process.pid)})
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            msg = f"there is too little memory; {_GO_ON}"
            raise BuildError(msg) from error
        raise
