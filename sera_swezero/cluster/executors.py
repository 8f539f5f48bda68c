"""The engine's executors, unchanged, and their settings from a file. The only module that imports the engine."""

from __future__ import annotations

import importlib
import inspect
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sera_swezero.cluster.step import BuildShards
from sera_swezero.errors import ConfigError

OURS = frozenset({"self", "pipeline", "tasks", "logging_dir", "skip_completed", "depends"})
"""Arguments of executors that are no settings: they follow from the build. Which tasks are done is told by the build's
own entries, which also notice a file that is gone; the engine's markers are its log."""


@dataclass(frozen=True)
class Kind:
    """One executor: where its class is, whether `run` waits for the tasks, and what must be done before it."""

    module: str
    name: str
    waits: bool = True
    prepare: Callable[[dict[str, Any]], None] | None = None

    def load(self) -> Callable[..., Any]:
        """The class. Raises ConfigError where the engine is not installed."""
        try:
            made: Callable[..., Any] = getattr(importlib.import_module(self.module), self.name)
        except ImportError as error:
            msg = f"{self.name} needs more than is installed ({error}): pip install 'sera-swezero[cluster]'"
            raise ConfigError(msg) from error
        return made


def _start_ray(settings: dict[str, Any]) -> None:
    """Join or start Ray: the table `init` is of `ray.init`'s arguments."""
    try:
        import ray  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        msg = f"the executor 'ray' needs Ray ({error}): pip install ray"
        raise ConfigError(msg) from error
    ray.init(**{"ignore_reinit_error": True, **settings.pop("init", {})})


def _one_process_a_core(settings: dict[str, Any]) -> None:
    settings.setdefault("workers", len(os.sched_getaffinity(0)))  # the engine's own default is one a task


EXECUTORS: dict[str, Kind] = {
    "datatrove-local": Kind("datatrove.executor.local", "LocalPipelineExecutor", prepare=_one_process_a_core),
    "slurm": Kind("datatrove.executor.slurm", "SlurmPipelineExecutor", waits=False),
    "ray": Kind("datatrove.executor.ray", "RayPipelineExecutor", prepare=_start_ray),
}
"""Every executor by the name that `--executor` takes."""


def kind_of(name: str) -> Kind:
    """An executor by its name. Raises ConfigError."""
    if name not in EXECUTORS:
        msg = f"executor {name!r}; executors are {', '.join(EXECUTORS)}"
        raise ConfigError(msg)
    return EXECUTORS[name]


def read_settings(path: Path, name: str) -> dict[str, Any]:
    """An executor's table in a TOML file of settings; empty where the file has none.

    Raises:
        ConfigError: the file cannot be read, or has something other than a table of each executor.
    """
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{path}: cannot be read as TOML: {error}"
        raise ConfigError(msg) from error
    wrong = [key for key, value in told.items() if key not in EXECUTORS or not isinstance(value, dict)]
    if wrong:
        msg = f"{path}: {', '.join(wrong)}: expected tables named after executors: {', '.join(EXECUTORS)}"
        raise ConfigError(msg)
    return dict(told.get(name, {}))


def make(name: str, step: BuildShards, count: int, logs: Path, settings: Mapping[str, Any]) -> Any:
    """The executor of `count` tasks, ready to `run()`. Ray is joined or started by this.

    Raises:
        ConfigError: no such executor, not installed, or a setting that it does not have or lacks.
    """
    kind = kind_of(name)
    made, given = kind.load(), dict(settings)
    if kind.prepare is not None:
        kind.prepare(given)
    known = inspect.signature(made).parameters
    wrong = [key for key in given if key in OURS or key not in known]
    if wrong:
        msg = f"settings of {name}: no {', '.join(wrong)}; there are {', '.join(sorted(known.keys() - OURS))}"
        raise ConfigError(msg)
    lacking = [key for key, one in known.items() if one.default is one.empty and key not in OURS | given.keys()]
    if lacking:
        msg = f"settings of {name}: {', '.join(lacking)} must be given, in the table [{name}] of --executor-settings"
        raise ConfigError(msg)
    return made([step], tasks=count, logging_dir=str(logs), skip_completed=False, **given)
