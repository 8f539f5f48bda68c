"""A build in parallel processes, this one among them: progress is shown, and whatever stops leaves nothing half."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path

from sera_swezero.build import progress, unit_files, worker_process
from sera_swezero.build.progress import Bars
from sera_swezero.build.unit_files import Unit
from sera_swezero.build.worker_process import Board, Made

_LOG = logging.getLogger("sera_swezero")

_POLL = 0.1  # seconds between two looks at the workers
_ALGEBRA = "OPENBLAS_NUM_THREADS"


def run(units: Sequence[Unit], out: Path, workers: int | None, *, bars: bool) -> Made:
    """Do the units that are not done yet; returns all by stem."""
    done: Made = {}
    todo: list[Unit] = []
    for unit in units:
        entry = unit_files.finished(unit, out)
        if entry is None:
            todo.append(unit)
        else:
            done[unit.stem] = entry
    if todo:
        workers = min(workers or _cores(), len(todo))
        unit_files.sweep(out)
        totals = {unit.name: (0, 0) for unit in todo}
        for unit in todo:
            totals[unit.name] = (totals[unit.name][0] + unit.size, totals[unit.name][1] + 1)
        with progress.bars(totals, shown=bars) as drawn:
            if workers == 1:
                done |= _in_this_process(todo, out, drawn, Board(list(totals)), ())
            else:
                done |= _in_processes(todo, out, workers, list(totals), drawn)
    return done


def _cores() -> int:
    """Cores that this process may use, which on a cluster are fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_this_process(
    units: Sequence[Unit], out: Path, drawn: Bars, board: Board, others: Sequence[Future[Made]]
) -> Made:
    """Do units here, beside the others; every now and then draw, and see whether another has failed."""
    due = 0.0

    def look() -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + _POLL
            for other in others:
                if other.done():
                    other.result()
            drawn.show(board.state())

    made = worker_process.work(units, out, board, look)
    pending: Collection[Future[Made]] = others
    while pending:
        ready, pending = wait(pending, timeout=_POLL, return_when=FIRST_COMPLETED)
        for other in ready:
            other.result()
        drawn.show(board.state())
    drawn.show(board.state())
    return made


def _in_processes(units: Sequence[Unit], out: Path, workers: int, names: Sequence[str], drawn: Bars) -> Made:
    """This process and further ones, so that the first unit does not wait for any to start."""
    # Fresh processes on every system: a forked one would inherit threads of Arrow and sockets of the hub's client.
    context = multiprocessing.get_context("spawn")
    board = Board(names, context)
    pool = ProcessPoolExecutor(workers - 1, context, initializer=worker_process.start, initargs=(board,))
    with _stopping(pool, out):
        with _no_algebra():
            others = [pool.submit(worker_process.work_in_pool, units, out) for _ in range(workers - 1)]
        done = _in_this_process(units, out, drawn, board, others)
        for other in others:
            for stem, made in other.result().items():
                done[stem] = made
                if made.counts.rejected:
                    _LOG.warning("%s: rejected %s", stem, made.counts.rejected)
    return done


@contextmanager
def _no_algebra() -> Iterator[None]:
    """Have processes start without a thread a core for numpy's algebra, which Arrow imports and nobody here uses."""
    before = os.environ.get(_ALGEBRA)
    os.environ.setdefault(_ALGEBRA, "1")
    try:
        yield
    finally:
        if before is None:
            del os.environ[_ALGEBRA]


@contextmanager
def _stopping(pool: ProcessPoolExecutor, out: Path) -> Iterator[None]:
    """Leave no worker behind: on an interrupt or an error the units under way are cut off and their scratch removed."""
    before = set(multiprocessing.active_children())
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        started = set(multiprocessing.active_children()) - before
        for process in started:
            process.terminate()
        for process in started:
            process.join()
        unit_files.sweep(out, {process.pid for process in started if process.pid})
        raise
    # They have nothing left to do, and go while manifest and card are written.
    pool.shutdown(wait=False)
