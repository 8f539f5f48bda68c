"""A build as tasks: plan, run what is missing, check what is there, write manifest and card as a build does.

A small file below the build's state says what a task has to do, so no task reads the whole plan.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Unpack

import msgspec

from sera_swezero.build import folder, runner, unit_files
from sera_swezero.build.card_facts import CardFacts
from sera_swezero.build.estimate import hub_problem
from sera_swezero.build.jobs import SHARD_BYTES, plan
from sera_swezero.build.manifest import Manifest
from sera_swezero.build.unit_files import STATE, Unit, program
from sera_swezero.cluster.step import EXECUTORS, BuildShards, make_executor, task_file
from sera_swezero.cluster.worker import ClusterTask
from sera_swezero.display.outputs import write_file
from sera_swezero.errors import BuildError, ConfigError
from sera_swezero.quality import sketches
from sera_swezero.request.arguments import RowArgumentsDict

FOLDER, LOGS = "tasks", "engine"
"""The folders of the tasks' files and of the engine's logs, inside the folder of the build's state."""

STALE = 24 * 3600
"""Seconds after which half-written files that nobody has touched are taken for those of a machine that is gone."""

_NAMED = 5  # shards named in an error


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Where the tasks of a build run."""

    executor: str
    """A key of `step.EXECUTORS`."""
    tasks: int | None = None
    """How many tasks there are; None for one per missing shard."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of the executor's class."""
    sketch: bool = False
    """Whether each task also counts what is in its shards (`quality.sketches`)."""


def build(
    names: Sequence[str],
    out: Path,
    cluster: Cluster,
    *,
    views: Sequence[str] = (),
    shard_bytes: int = SHARD_BYTES,
    card: CardFacts | None = None,
    redact: bool = False,
    **arguments: Unpack[RowArgumentsDict],
) -> Manifest | None:
    """Build configs into `out`, a folder that all machines share. The files are the same as those of `runner.build`.

    The arguments are those of `runner.build`, too. Shards that are there stay. If the build ends early for any reason,
    run it again with the same arguments.

    Returns:
        The manifest of everything in `out`; None if the executor does not wait for its tasks. Then run it again, with
        the same arguments, when they are done.

    Raises:
        ConfigError: a name, value or setting that does not exist; more shards than the hub holds.
        UpstreamError: upstream cannot be resolved. PublishError: `out` holds files that no build wrote.
        BuildError: tasks ended and shards are missing, or another build into `out` is running.
    """
    if cluster.executor not in EXECUTORS:
        msg = f"executor {cluster.executor!r}; executors are {', '.join(EXECUTORS)}"
        raise ConfigError(msg)
    folder.read(out)  # refuses somebody else's folder before anything runs, not when everything is done
    jobs = plan(names, views, arguments, shard_bytes, None, card=card, redact=redact)
    for job in jobs:
        if problem := hub_problem(job.request.name, len(job.units), job.own_files, job.snapshot.bytes):
            raise ConfigError(problem)
    todo = _missing([unit for job in jobs for unit in job.units], out, cluster)
    if todo:
        with folder.claim(out):
            _run(todo, out, cluster)
        if cluster.executor == "slurm":
            return None
        _check(todo, out, cluster)
    sweep(out)
    return runner.build_jobs(jobs, out, workers=1)  # nothing is left to build, so this writes manifest and card


def _run(todo: Sequence[Unit], out: Path, cluster: Cluster) -> None:
    count = min(cluster.tasks or len(todo), len(todo))
    unit_files.sweep(out)
    # Workers start in folders of the engine's choice.
    out = out.absolute()
    written = write(todo, out, count, sketch=cluster.sketch)
    step = BuildShards(str(out), str(written))
    try:
        make_executor(cluster.executor, step, count, out / STATE / LOGS / written.name, cluster.settings).run()
    except BuildError as error:
        msg = f"{error} Run the same command again to do what is missing"
        raise BuildError(msg) from error


def write(units: Sequence[Unit], out: Path, count: int, *, sketch: bool = False) -> Path:
    """Deal the units out to `count` tasks and write a file for each. The same units give the same folder.

    Returns:
        The folder of these files, where `step.task_file` finds them.
    """
    keys = "\n".join([str(count), str(sketch), *(unit.key for unit in units)])
    written = out / STATE / FOLDER / hashlib.sha256(keys.encode()).hexdigest()[:16]
    for rank in range(count):
        # A login is never written down: every machine has its own, or HF_TOKEN.
        mine = [replace(unit, snapshot=replace(unit.snapshot, token=None)) for unit in units[rank::count]]
        task = ClusterTask(units=mine, sketch=sketch, program=program())
        write_file(task_file(written, rank), msgspec.json.encode(task))
    return written


def _missing(units: Sequence[Unit], out: Path, cluster: Cluster) -> list[Unit]:
    shards = [(unit, unit_files.finished(unit, out)) for unit in units]
    return [
        unit
        for unit, shard in shards
        if shard is None or (cluster.sketch and shard.data is not None and not sketches.exists(shard.data, out))
    ]


def _check(todo: Sequence[Unit], out: Path, cluster: Cluster) -> None:
    missing = [unit.stem for unit in _missing(todo, out, cluster)]
    if missing:
        named = ", ".join(missing[:_NAMED]) + (f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else "")
        msg = (
            f"{len(missing)} of {len(todo)} shards are missing: {named}; the engine's logs are in "
            f"{out / STATE / LOGS}. Run the same command again to do what is missing"
        )
        raise BuildError(msg)


def sweep(out: Path) -> None:
    """Remove half-written files of dead processes of this machine, and of machines that were silent for a day."""
    unit_files.sweep(out)
    now = time.time()
    for part in (out / STATE).glob("part-*"):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # its process is ending, or it is a file
            touched = [path.stat().st_mtime for path in (part, *part.iterdir())]
            if now - max(touched) > STALE:
                shutil.rmtree(part, ignore_errors=True)
