"""What a build will take, and whether the hub will accept it, before anyone pays for it.

Files, bytes and shards are counted from the listing; the rest is scaled up from a sample of shards. Each sampled shard
is built just as in a build, in a process of its own, and thrown away. Rows, bytes and processor time grow with the raw
bytes. The memory is the most that any sample needed. The time to start a process is added for every task.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import NamedTuple, Unpack

from sera_swezero.build.jobs import SHARD_BYTES, Job, plan
from sera_swezero.build.measure import Measured, measure
from sera_swezero.build.unit_files import Unit
from sera_swezero.display.outputs import writing
from sera_swezero.errors import ConfigError
from sera_swezero.request.arguments import RowArgumentsDict
from sera_swezero.upstream import Snapshot, row_group_starts

SAMPLES = 3
"""Shards that are built for an estimate."""

FOLDER_FILES = 10_000
"""The most entries of one folder that the hub advises ("Repository limitations and recommendations"). Listings and
commits fail beyond that."""

_NEAR = 64  # shards that are looked at, from a place on, to find one in which a record starts
_MIB = 1024 * 1024


class Estimate(NamedTuple):
    """What the build of one config will take."""

    config: str
    files: int
    """Files of upstream."""
    bytes: int
    """Bytes of these files."""
    shards: int
    """Files of the build."""
    tasks: int
    """Processes started for them."""
    sampled_shards: int
    sampled_bytes: int
    """Raw bytes of the sampled shards."""
    rows: int
    """Rows of the build."""
    out_bytes: int
    """Bytes of its files, rejected records included."""
    core_hours: float
    """Hours of one core, over all tasks."""
    memory_bytes: int
    """Memory of a task at its peak. Twice as much leaves room for odd rows."""
    problem: str
    """Why it cannot be published as it is planned; "" if it can."""


def hub_problem(name: str, shards: int, files: int, size: int) -> str:
    """Why a config cannot be published as it is planned, and what would fit; "" if it can.

    Args:
        name: the published config.
        shards: the number of files that it would have, all in one folder.
        files: the number of upstream files that share no shard with others (`Job.own_files`).
        size: raw bytes of all files.
    """
    if shards <= FOLDER_FILES:
        return ""
    problem = f"{name}: {shards:,} shards in one folder, where the hub holds {FOLDER_FILES:,}"
    if files > FOLDER_FILES:
        return f"{problem}; upstream has {files:,} files and a shard never spans two: build parts of it"
    # Each of these files may leave a shard that is not full, so so many shards are not counted on.
    least = -(-size // (FOLDER_FILES - files)) if files < FOLDER_FILES else size
    return f"{problem}; give --shard-size {-(-least // _MIB)}MiB or more"


def estimate(
    names: Sequence[str],
    *,
    views: Sequence[str] = (),
    shard_bytes: int = SHARD_BYTES,
    tasks: int | None = None,
    samples: int = SAMPLES,
    **arguments: Unpack[RowArgumentsDict],
) -> list[Estimate]:
    """Estimate a build with these arguments, which are those of `runner.build`.

    Each config has `tasks` tasks, None for one per shard, and `samples` of its shards are built, spread over it.

    Raises:
        ConfigError, UpstreamError: as a build. OutputError: the sampled shards do not fit into a temporary folder.
    """
    jobs = plan(names, views, arguments, shard_bytes, None)
    return [_scaled_up(job, min(tasks or len(job.units), len(job.units)), _measured(job, samples)) for job in jobs]


def _scaled_up(job: Job, tasks: int, samples: Sequence[Measured]) -> Estimate:
    name, files, size, shards = job.request.name, len(job.snapshot.files), job.snapshot.bytes, len(job.units)
    raw = sum(sample.raw for sample in samples)
    start = sum(sample.start for sample in samples) / len(samples)
    return Estimate(
        config=name,
        files=files,
        bytes=size,
        shards=shards,
        tasks=tasks,
        sampled_shards=len(samples),
        sampled_bytes=raw,
        rows=round(sum(sample.rows for sample in samples) * size / raw),
        out_bytes=round(sum(sample.bytes for sample in samples) * size / raw),
        core_hours=(sum(sample.work for sample in samples) * size / raw + start * tasks) / 3600,
        memory_bytes=max(sample.memory for sample in samples),
        problem=hub_problem(name, shards, job.own_files, size),
    )


def _measured(job: Job, samples: int) -> list[Measured]:
    context = multiprocessing.get_context("spawn")
    measured = []
    with writing(tempfile.gettempdir()), tempfile.TemporaryDirectory(prefix="sera-swezero-plan-") as folder:
        for unit, raw in _choose(job, samples):
            # One process each, as on a cluster: what the last one keeps in memory must not count twice.
            with ProcessPoolExecutor(1, context) as pool:
                measured.append(pool.submit(measure, unit, raw, Path(folder)).result())
    return measured


def _choose(job: Job, samples: int) -> list[tuple[Unit, int]]:
    """Units spread over the config, each with the raw bytes of the records that start in it."""
    units = job.units
    count = min(samples, len(units))
    chosen: dict[int, int] = {}
    for number in range(count):
        first = (2 * number + 1) * len(units) // (2 * count)
        for place in islice(chain(range(first, len(units)), range(first)), _NEAR):
            if place not in chosen and (raw := _owned(units[place], job.snapshot)):
                chosen[place] = raw
                break
    if not chosen:
        msg = f"{job.request.name}: no record was found in the shards looked at; give a larger --shard-size"
        raise ConfigError(msg)
    return [(units[place], raw) for place, raw in chosen.items()]


def _owned(unit: Unit, snapshot: Snapshot) -> int:
    """Raw bytes of the unit's records: those of its range, or for Parquet of all row groups that start in it."""
    total = 0
    for shard in unit.shards:
        file = next(file for file in unit.snapshot.files if (file.repo, file.path) == (shard.repo, shard.file))
        starts = row_group_starts(replace(snapshot, files=(file,))).get((shard.repo, shard.file))
        if starts is None:
            total += shard.stop - shard.start
        else:
            edges = pairwise([*starts, shard.size])
            total += sum(after - start for start, after in edges if shard.start <= start < shard.stop)
    return total
