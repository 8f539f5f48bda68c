"""The engine (datatrove): its executors, used as they are, with their settings; and the step that they run.

The step starts a fresh process, a worker, for every task. The engine's executors fork or reuse their processes, which
Arrow's threads and the hub's client do not survive. And a pool of processes waits for ever for one that was killed;
here a worker that dies is a failed task.
"""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sera_swezero.display.formatting import how_ended
from sera_swezero.errors import BuildError, ConfigError

WORKER = "sera_swezero.cluster.worker"
"""The worker's module. It is not imported here, since a process that only waits for workers does not need it."""

EXECUTORS = {
    "datatrove-local": ("datatrove.executor.local", "LocalPipelineExecutor"),
    "slurm": ("datatrove.executor.slurm", "SlurmPipelineExecutor"),
    "ray": ("datatrove.executor.ray", "RayPipelineExecutor"),
}
"""Module and class of every executor, by the name that `--executor` takes. Only Slurm's does not wait for its tasks."""

OURS = frozenset({"self", "pipeline", "tasks", "logging_dir", "skip_completed", "depends"})
"""Arguments of executors that are not settings, because they follow from the build. Which tasks are done is known from
the build's own entries, which also notice a file that is gone; the engine's markers only serve as its log."""

_LAST = 2000  # characters of a worker's output in the error


@dataclass(frozen=True)
class BuildShards:
    """The step of a datatrove pipeline that runs task number `rank`.

    datatrove takes any function of (data, rank, tasks) as a step. Both folders must be the same place on every machine.
    """

    out: str
    """The directory that is built."""
    folder: str
    """What `tasks.write` returned."""

    def __call__(self, data: Iterable[Any] | None = None, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """Run a worker to its end, and pass the documents of an earlier step on.

        Raises:
            BuildError: the worker failed or was killed.
        """
        del world_size
        file = task_file(Path(self.folder), rank)
        command = [sys.executable, "-m", WORKER, self.out, str(file), "--attended"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603
            output = process.stderr.read().decode("utf-8", "replace") if process.stderr else ""
            code = process.wait()
        if code:
            msg = f"{file.name}: the worker {how_ended(code)}; what it had finished stays. {output[-_LAST:].strip()}"
            raise BuildError(msg)
        sys.stderr.write(output)
        yield from data or ()


def task_file(folder: Path, rank: int) -> Path:
    """The file that says what a task has to do, in the folder that `tasks.write` made."""
    return folder / f"{rank:05d}.json"


def read_settings(path: Path, name: str) -> dict[str, Any]:
    """An executor's table in a TOML file of settings; empty if the file has no such table.

    Raises:
        ConfigError: the file cannot be read, or has something other than tables named after executors.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{path}: cannot be read as TOML: {error}"
        raise ConfigError(msg) from error
    wrong = [key for key, value in tables.items() if key not in EXECUTORS or not isinstance(value, dict)]
    if wrong:
        msg = f"{path}: {', '.join(wrong)}: expected tables named after executors: {', '.join(EXECUTORS)}"
        raise ConfigError(msg)
    return dict(tables.get(name, {}))


def make_executor(name: str, step: BuildShards, count: int, logs: Path, settings: Mapping[str, Any]) -> Any:
    """The executor of `count` tasks, ready to `run()`. For Ray this joins or starts a cluster.

    Raises:
        ConfigError: the executor is not installed, has no such setting, or lacks one.
    """
    from sera_swezero.build.worker_pool import cores  # not at the top: a process that waits needs no Arrow

    module, class_name = EXECUTORS[name]
    given = dict(settings)
    try:
        executor = getattr(importlib.import_module(module), class_name)
        if name == "ray":
            import ray  # type: ignore[import-not-found, unused-ignore]

            ray.init(**{"ignore_reinit_error": True, **given.pop("init", {})})
    except ImportError as error:
        more = " ray" if name == "ray" else ""
        msg = f"{class_name} needs more than is installed ({error}): pip install 'sera-swezero[cluster]'{more}"
        raise ConfigError(msg) from error
    if name == "datatrove-local":
        given.setdefault("workers", cores())  # the engine's own default is one per task
    known = inspect.signature(executor).parameters
    wrong = [key for key in given if key in OURS or key not in known]
    if wrong:
        msg = f"settings of {name}: no {', '.join(wrong)}; there are {', '.join(sorted(known.keys() - OURS))}"
        raise ConfigError(msg)
    lacking = [key for key, one in known.items() if one.default is one.empty and key not in OURS | given.keys()]
    if lacking:
        msg = f"settings of {name}: {', '.join(lacking)} must be given, in the table [{name}] of --executor-settings"
        raise ConfigError(msg)
    return executor([step], tasks=count, logging_dir=str(logs), skip_completed=False, **given)
