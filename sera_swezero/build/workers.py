"""The units of a build in parallel processes: told of their progress, stopped without leaving anything half."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing.sharedctypes import SynchronizedArray
from pathlib import Path

from sera_swezero.build import progress, shard
from sera_swezero.build.manifest import BuiltShard
from sera_swezero.build.shard import Unit

_LOG = logging.getLogger("sera_swezero")

_POLL = 0.1  # seconds between two looks at the workers


def run(units: Sequence[Unit], out: Path, workers: int | None, *, bars: bool) -> dict[str, BuiltShard]:
    """Do the units that are not done yet; returns all by stem."""
    done: dict[str, BuiltShard] = {}
    todo: list[Unit] = []
    for unit in units:
        entry = shard.finished(unit, out)
        if entry is None:
            todo.append(unit)
        else:
            done[unit.stem] = entry
    if todo:
        workers = min(workers or _cores(), len(todo))
        shard.sweep(out)
        totals = {unit.name: (0, 0) for unit in todo}
        for unit in todo:
            totals[unit.name] = (totals[unit.name][0] + unit.size, totals[unit.name][1] + 1)
        with progress.bars(totals, shown=bars) as drawn:
            run = _in_this_process if workers == 1 else _in_processes
            done |= run(todo, out, workers, list(totals), drawn)
    return done


def _cores() -> int:
    """Cores that this process may use, which on a cluster are fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_this_process(
    units: Sequence[Unit], out: Path, workers: int, names: list[str], drawn: progress.Bars
) -> dict[str, BuiltShard]:
    del workers
    state = dict.fromkeys(names, (0, 0, 0))
    done: dict[str, BuiltShard] = {}
    for unit in units:

        def told(rows: int, size: int, name: str = unit.name) -> None:
            before = state[name]
            state[name] = (before[0] + rows, before[1] + size, before[2])
            drawn.show({name: state[name]})

        done[unit.stem] = shard.build_shard(unit, out, told)
        state[unit.name] = (*state[unit.name][:2], state[unit.name][2] + 1)
        drawn.show(state)
    return done


def _in_processes(
    units: Sequence[Unit], out: Path, workers: int, names: list[str], drawn: progress.Bars
) -> dict[str, BuiltShard]:
    # Fresh processes on every system: a forked one would inherit threads of Arrow and sockets of the hub's client.
    context = multiprocessing.get_context("spawn")
    counters = context.Array("q", 2 * len(names))
    done: dict[str, BuiltShard] = {}
    shards = dict.fromkeys(names, 0)
    pool = ProcessPoolExecutor(workers, context, initializer=_start_worker, initargs=(counters, names))
    with _stopping(pool, out):
        waiting: dict[Future[BuiltShard], Unit] = {pool.submit(_work, unit, out): unit for unit in units}
        while waiting:
            ready, _ = wait(waiting, timeout=_POLL, return_when=FIRST_COMPLETED)
            for future in ready:
                unit = waiting.pop(future)
                made = done[unit.stem] = future.result()
                shards[unit.name] += 1
                if made.counts.rejected:
                    _LOG.warning("%s: rejected %s", unit.stem, made.counts.rejected)
            told = counters[:]
            drawn.show({name: (told[2 * i], told[2 * i + 1], shards[name]) for i, name in enumerate(names)})
    return done


@contextmanager
def _stopping(pool: ProcessPoolExecutor, out: Path) -> Iterator[None]:
    """Leave no worker behind: on an interrupt or an error the units under way are cut off and their scratch removed."""
    before = set(multiprocessing.active_children())
    try:
        yield
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        workers = set(multiprocessing.active_children()) - before
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join()
        shard.sweep(out, {worker.pid for worker in workers if worker.pid})
        raise
    pool.shutdown()


_COUNTERS: tuple[SynchronizedArray[int], list[str]] | None = None


def _start_worker(counters: SynchronizedArray[int], names: list[str]) -> None:
    """Ready a worker: Ctrl-C is the parent's to handle, and a worker whose parent is gone must not go on alone."""
    global _COUNTERS  # noqa: PLW0603 (the one thing a pool's worker can be handed at its start)
    _COUNTERS = (counters, names)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _LOG.setLevel(logging.ERROR)  # the parent tells of rejected rows, where it does not break the bars
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(unit: Unit, out: Path) -> BuiltShard:
    return shard.build_shard(unit, out, _teller(unit.name))


def _teller(name: str) -> Callable[[int, int], None] | None:
    if _COUNTERS is None:
        return None
    counters, names = _COUNTERS
    place = 2 * names.index(name)

    def told(rows: int, size: int) -> None:
        with counters.get_lock():
            counters[place] += rows
            counters[place + 1] += size

    return told
