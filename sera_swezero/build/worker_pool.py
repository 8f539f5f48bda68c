"""A build in parallel processes, this one among them. It shows progress, and leaves nothing half done when it stops."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

from sera_swezero.build import unit_files, worker_process
from sera_swezero.build.unit_files import Unit
from sera_swezero.build.worker_process import Board, Built
from sera_swezero.display.progress import progress_bars

_POLL = 0.1  # seconds between two looks at the workers
_ALGEBRA = "OPENBLAS_NUM_THREADS"


def run(units: Sequence[Unit], out: Path, workers: int | None, *, bars: bool) -> Built:
    """Build the units that are not done yet. Returns all of them by stem."""
    entries = {unit.stem: unit_files.finished(unit, out) for unit in units}
    built = {stem: entry for stem, entry in entries.items() if entry is not None}
    todo = [unit for unit in units if unit.stem not in built]
    if not todo:
        return built
    unit_files.sweep(out)
    names = list(dict.fromkeys(unit.name for unit in todo))
    sizes = {name: sum(unit.size for unit in todo if unit.name == name) for name in names}
    counts = {name: sum(unit.name == name for unit in todo) for name in names}
    workers = min(workers or _cores(), len(todo))
    # Fresh processes on every system: a forked one would inherit threads of Arrow and sockets of the hub's client.
    context = multiprocessing.get_context("spawn") if workers > 1 else None
    board = Board(names, context)
    with progress_bars(sizes, visible=bars) as drawn:

        def draw() -> None:
            for name, progress in board.state().items():
                drawn.update(name, progress.raw_bytes, progress.rows, f"{progress.shards}/{counts[name]} shards")

        pool = None
        if context is not None:
            pool = ProcessPoolExecutor(workers - 1, context, initializer=worker_process.start, initargs=(board,))
        with _stopping(pool, out):
            others: list[Future[Built]] = []
            if pool is not None:
                with _without_algebra_threads():
                    others += [pool.submit(worker_process.work_in_pool, todo, out) for _ in range(workers - 1)]
            built |= _in_this_process(todo, out, board, draw, others)
            for other in others:
                built |= other.result()
    return built


def _cores() -> int:
    """Cores that this process may use, which on a cluster are fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_this_process(
    units: Sequence[Unit], out: Path, board: Board, draw: Callable[[], None], others: Sequence[Future[Built]]
) -> Built:
    """Build units here, like the other processes; every now and then draw, and raise what another one raised."""
    due = 0.0

    def look_around() -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + _POLL
            for other in others:
                if other.done():
                    other.result()
            draw()

    built = worker_process.work(units, out, board, look_around)
    pending: Collection[Future[Built]] = others
    while pending:
        ready, pending = wait(pending, timeout=_POLL, return_when=FIRST_COMPLETED)
        for other in ready:
            other.result()
        draw()
    draw()
    return built


@contextmanager
def _without_algebra_threads() -> Iterator[None]:
    """Have processes start without a thread per core for numpy's algebra, which Arrow imports and nobody here uses."""
    before = os.environ.get(_ALGEBRA)
    os.environ.setdefault(_ALGEBRA, "1")
    try:
        yield
    finally:
        if before is None:
            del os.environ[_ALGEBRA]


@contextmanager
def _stopping(pool: ProcessPoolExecutor | None, out: Path) -> Iterator[None]:
    """Leave nothing behind: on an interrupt or an error, what is under way is cut off and its scratch removed."""
    before = set(multiprocessing.active_children())
    try:
        yield
    except BaseException:
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
        started = set(multiprocessing.active_children()) - before
        for process in started:
            process.kill()
        for process in started:
            process.join()
        # An interrupt may also have come before this process could remove its own.
        unit_files.sweep(out, {os.getpid(), *(process.pid for process in started if process.pid)})
        raise
    if pool is not None:
        # Its processes have nothing left to do, and end while manifest and card are written.
        pool.shutdown(wait=False)
