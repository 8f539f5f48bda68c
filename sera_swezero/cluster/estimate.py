"""What a build will take, before anyone pays for it: counted from the listing, and scaled up from a sample of shards.

Each sampled shard is built as the build would, in a process of its own, and thrown away. Rows, bytes and processor time
grow with the raw bytes; memory is the most that any sample needed; and every task starts a process.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any

from sera_swezero.build import runner
from sera_swezero.build.runner import SHARD_BYTES, Job
from sera_swezero.build.unit_files import Unit
from sera_swezero.cluster.measure import Took, measure
from sera_swezero.errors import ConfigError
from sera_swezero.upstream import Snapshot, row_group_starts

SAMPLES = 3
"""Shards that are built for an estimate."""

_NEAR = 64  # shards looked at, from a place on and round, for one in which a record starts


@dataclass(frozen=True)
class Estimate:
    """One config. files, bytes: upstream's. shards: files of the build. tasks: processes started for them."""

    config: str
    files: int
    bytes: int
    shards: int
    tasks: int
    took: tuple[Took, ...]

    def _scaled(self, sampled: float) -> float:
        return sampled * self.bytes / sum(one.raw for one in self.took)

    @property
    def rows(self) -> int:
        """Rows of the build."""
        return round(self._scaled(sum(one.rows for one in self.took)))

    @property
    def out_bytes(self) -> int:
        """Bytes of its files, rejected records included."""
        return round(self._scaled(sum(one.bytes for one in self.took)))

    @property
    def core_seconds(self) -> float:
        """Seconds of one core, over all tasks."""
        start = sum(one.start for one in self.took) / len(self.took)
        return self._scaled(sum(one.work for one in self.took)) + start * self.tasks

    @property
    def memory(self) -> int:
        """Bytes of memory of a task, at its peak; twice that leaves room for odd rows."""
        return max(one.memory for one in self.took)


def estimate(
    names: Sequence[str],
    *,
    views: Sequence[str] = (),
    shard_bytes: int = SHARD_BYTES,
    tasks: int | None = None,
    samples: int = SAMPLES,
    **arguments: Any,
) -> list[Estimate]:
    """Estimate a build.

    Args:
        names: config names; "sera" stands for its four sets.
        views: the views; none means each config's default view.
        shard_bytes: raw bytes of a shard.
        tasks: tasks of each config; None for one a shard.
        samples: shards of each config to build, spread over it.
        **arguments: upstream, revision, incomplete and min_recall, as in `runner.build`.

    Raises:
        ConfigError, UpstreamError: as a build.
    """
    jobs = runner.plan(names, views, arguments, shard_bytes, None)
    return [_estimate(job, min(tasks or len(job.units), len(job.units)), samples) for job in jobs]


def _estimate(job: Job, tasks: int, samples: int) -> Estimate:
    chosen = _choose(job, samples)
    took = []
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="sera-swezero-plan-") as folder:
        for unit, raw in chosen:
            # A process of its own each, as in a cluster: what the last one keeps in memory must not count twice.
            with ProcessPoolExecutor(1, context) as pool:
                took.append(pool.submit(measure, unit, raw, Path(folder)).result())
    snapshot = job.snapshot
    return Estimate(job.request.name, len(snapshot.files), snapshot.bytes, len(job.units), tasks, tuple(took))


def _choose(job: Job, samples: int) -> list[tuple[Unit, int]]:
    """Units spread over the config, each with the raw bytes of the records that start in it."""
    units = job.units
    count = min(samples, len(units))
    chosen: dict[int, tuple[Unit, int]] = {}
    for number in range(count):
        first = (2 * number + 1) * len(units) // (2 * count)
        for place in islice(chain(range(first, len(units)), range(first)), _NEAR):
            raw = _owned(units[place], job.snapshot)
            if raw and place not in chosen:
                chosen[place] = units[place], raw
                break
    if not chosen:
        msg = f"{job.request.name}: no record was found in the shards looked at; give a larger --shard-size"
        raise ConfigError(msg)
    return list(chosen.values())


def _owned(unit: Unit, snapshot: Snapshot) -> int:
    """Raw bytes of the unit's records: its range, but of Parquet the row groups that start in it, whole."""
    total = 0
    for source in unit.sources:
        file = next(one for one in unit.snapshot.files if (one.repo, one.path) == (source.repo, source.file))
        starts = row_group_starts(replace(snapshot, files=(file,))).get((source.repo, source.file))
        if starts is None:
            total += source.stop - source.start
        else:
            edges = pairwise([*starts, source.size])
            total += sum(after - start for start, after in edges if source.start <= start < source.stop)
    return total
