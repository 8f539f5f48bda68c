"""The engine's executors, used as they are, and their settings from a file. Only this module imports the engine."""

from __future__ import annotations

import importlib
import inspect
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sera_swezero.cluster.step import BuildShards
from sera_swezero.errors import ConfigError

OURS = frozenset({"self", "pipeline", "tasks", "logging_dir", "skip_completed", "depends"})
"""Arguments of executors that are not settings: they follow from the build. Which tasks are done is in the build's own
entries, which also notice a file that is gone; the engine's markers are only its log."""


EXECUTORS = {
    "datatrove-local": ("datatrove.executor.local", "LocalPipelineExecutor"),
    "slurm": ("datatrove.executor.slurm", "SlurmPipelineExecutor"),
    "ray": ("datatrove.executor.ray", "RayPipelineExecutor"),
}
"""Module and class of every executor, by the name that `--executor` takes."""


def check(name: str) -> None:
    """Refuse an executor that does not exist. Raises ConfigError."""
    if name not in EXECUTORS:
        msg = f"executor {name!r}; executors are {', '.join(EXECUTORS)}"
        raise ConfigError(msg)


def waits(name: str) -> bool:
    """Whether the executor's `run` returns only when the tasks are done."""
    return name != "slurm"


def read_settings(path: Path, name: str) -> dict[str, Any]:
    """An executor's table in a TOML file of settings; empty where the file has no such table.

    Raises:
        ConfigError: the file cannot be read, or has something other than a table of each executor.
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


def make(name: str, step: BuildShards, count: int, logs: Path, settings: Mapping[str, Any]) -> Any:
    """The executor of `count` tasks, ready to `run()`. Ray is joined or started by this.

    Raises:
        ConfigError: the executor is not installed, or has no such setting, or lacks one.
    """
    executor, given = _load(name), dict(settings)
    if name == "ray":
        _start_ray(given.pop("init", {}))
    if name == "datatrove-local":
        given.setdefault("workers", len(os.sched_getaffinity(0)))  # the engine's own default is one per task
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


def _load(name: str) -> Callable[..., Any]:
    module, class_name = EXECUTORS[name]
    try:
        loaded: Callable[..., Any] = getattr(importlib.import_module(module), class_name)
    except ImportError as error:
        msg = f"{class_name} needs more than is installed ({error}): pip install 'sera-swezero[cluster]'"
        raise ConfigError(msg) from error
    return loaded


def _start_ray(arguments: Mapping[str, Any]) -> None:
    """Join or start Ray."""
    try:
        import ray  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        msg = f"the executor 'ray' needs Ray ({error}): pip install ray"
        raise ConfigError(msg) from error
    ray.init(**{"ignore_reinit_error": True, **arguments})
