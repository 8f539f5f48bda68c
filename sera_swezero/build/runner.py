"""Build configs: plan units, do in parallel processes those that no earlier run did, write manifest and card."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.sharedctypes import SynchronizedArray
from pathlib import Path
from typing import Any

from sera_swezero import configs
from sera_swezero.build import card, manifest, parquet, progress, shard
from sera_swezero.build.manifest import BuiltConfig, BuiltShard, Manifest
from sera_swezero.build.shard import Unit
from sera_swezero.build.unions import members
from sera_swezero.builder import features
from sera_swezero.convert import columns, converter_digest, describe
from sera_swezero.errors import ConfigError
from sera_swezero.upstream import Snapshot, plan_shards, take_snapshot
from sera_swezero.version import __version__

_LOG = logging.getLogger("sera_swezero")

SHARD_BYTES = 256 * 1024 * 1024
"""Raw bytes of a published shard, about 40 MB of Parquet: SERA in some 160 files."""

_POLL = 0.1  # seconds between two looks at the workers


@dataclass(frozen=True)
class Job:
    """One published config: its checked request, the arguments that remake it elsewhere, and its units."""

    request: configs.Request
    arguments: Mapping[str, Any]
    snapshot: Snapshot
    units: tuple[Unit, ...]


def build(  # noqa: PLR0913 (the command's options, by the same names)
    names: Sequence[str],
    out: Path,
    *,
    views: Sequence[str] = (),
    upstream: str | None = None,
    revision: str | Mapping[str, str] | None = None,
    incomplete: str | None = None,
    min_recall: float | None = None,
    max_rows: int | None = None,
    shard_bytes: int = SHARD_BYTES,
    workers: int | None = None,
    bars: bool = False,
) -> Manifest:
    """Build configs into `out`; what an earlier run finished is taken as it is, other configs in `out` stay.

    Args:
        names: config names; "sera" stands for its four sets.
        out: the directory; made if need be.
        views: the views to build each in; none means each config's default view.
        upstream: a root to read from instead of the hub, or "sample".
        revision: as in `configs.request`; so are the next two.
        incomplete: "keep" or "reject" rollouts without a submission.
        min_recall: least line-level recall.
        max_rows: at most so many rows of each config, its first ones, in one file.
        shard_bytes: raw bytes of a shard.
        workers: processes; None means one per core that this process may use.
        bars: show progress on standard error, if that is a terminal.

    Returns:
        The manifest of everything in `out`.

    Raises:
        ConfigError: a name or value that there is not.
        UpstreamError: upstream cannot be resolved or read.
        PublishError: `out` holds a manifest that is not ours.
        KeyboardInterrupt: interrupted; finished shards stay, and the next run goes on from there.
    """
    if max_rows is not None and max_rows < 1:
        msg = f"max_rows={max_rows}; at least one row was expected"
        raise ConfigError(msg)
    before = manifest.read(out)
    shared = {"upstream": upstream, "revision": revision, "incomplete": incomplete, "min_recall": min_recall}
    jobs = plan(names, views, shared, shard_bytes, max_rows)
    done = _run([unit for job in jobs for unit in job.units], out, workers, bars=bars)
    built = {job.request.name: _config(job, done, max_rows) for job in jobs}
    after = manifest.merge(before, manifest.make(built))
    _publishable(out, after)
    if before is not None:
        _remove_stale(out, before, after)
    return after


def plan(
    names: Sequence[str], views: Sequence[str], arguments: Mapping[str, Any], shard_bytes: int, max_rows: int | None
) -> list[Job]:
    """Settle what is built: one job per config and view, upstream resolved once per repo."""
    jobs: dict[str, Job] = {}
    snapshots: dict[str, Snapshot] = {}
    for name in [part for union in names for part in members(union)]:
        for view in views or (None,):
            given = {"name": name, "view": view, **arguments}
            request = configs.request(**given)
            repo = request.origins[0].repo
            if repo not in snapshots:
                snapshots[repo] = take_snapshot(request.origins, upstream=request.upstream, revision=request.revision)
            units = _units(request, given, snapshots[repo], shard_bytes, max_rows)
            jobs[request.name] = Job(request, given, snapshots[repo], tuple(units))
    return list(jobs.values())


def _units(
    request: configs.Request, arguments: Mapping[str, Any], snapshot: Snapshot, shard_bytes: int, max_rows: int | None
) -> Iterator[Unit]:
    shards = plan_shards(snapshot.files, shard_bytes, multiple=1)
    # A cap counts rows from the first on, so one unit reads as far as it must.
    pieces = [(one,) for one in shards] if max_rows is None else [tuple(shards)]
    for index, piece in enumerate(pieces):
        files = {(source.repo, source.file) for source in piece}
        part = replace(snapshot, files=tuple(file for file in snapshot.files if (file.repo, file.path) in files))
        yield Unit(request.name, index, len(pieces), arguments, piece, part, max_rows)


def _config(job: Job, done: Mapping[str, BuiltShard], max_rows: int | None) -> BuiltConfig:
    described = columns(job.request)
    return BuiltConfig(
        config=job.request.config.name,
        view=job.request.view.name,
        described=describe(job.request),
        upstream=dict(job.snapshot.commits),
        converter={"version": __version__, "digest": converter_digest()},
        writer=parquet.WRITER,
        columns=list(described.items()),
        json=parquet.has_json(features(described)),
        max_rows=max_rows,
        shards=[done[unit.stem] for unit in job.units],
    )


def _publishable(out: Path, after: Manifest) -> None:
    """Write the manifest and its card, each aside and renamed."""
    for name, content in ((manifest.MANIFEST, manifest.encode(after)), (manifest.CARD, card.render(after).encode())):
        aside = out / shard.STATE / name
        aside.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(content)
        aside.replace(out / name)


def _remove_stale(out: Path, before: Manifest, after: Manifest) -> None:
    """Remove the files that the last manifest lists and the new one does not; nothing else in the folder is ours."""
    kept = {built.path for built in after.files}
    for built in before.files:
        if built.path not in kept:
            (out / built.path).unlink(missing_ok=True)


def _run(units: Sequence[Unit], out: Path, workers: int | None, *, bars: bool) -> dict[str, BuiltShard]:
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
        workers = min(workers or len(os.sched_getaffinity(0)), len(todo))
        shard.sweep(out)
        totals = {unit.name: (0, 0) for unit in todo}
        for unit in todo:
            totals[unit.name] = (totals[unit.name][0] + unit.size, totals[unit.name][1] + 1)
        with progress.bars(totals, shown=bars) as drawn:
            run = _in_this_process if workers == 1 else _in_processes
            done |= run(todo, out, workers, list(totals), drawn)
    return done


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
