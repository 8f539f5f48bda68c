"""What each task has to do: one small file per task below the build's state, so that no task reads the whole plan."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from sera_swezero.build.unit_files import STATE, Unit, program
from sera_swezero.cluster.step import task_file
from sera_swezero.errors import ConfigError

FOLDER = "tasks"


class ClusterTask(msgspec.Struct):
    """What one task has to do."""

    units: list[Unit]
    """In the order in which they are built."""
    sketch: bool
    """Whether to count what is in their files too."""
    program: str
    """`unit_files.program()` where the task was written."""


def write(units: Sequence[Unit], out: Path, count: int, *, sketch: bool = False) -> Path:
    """Deal the units out to `count` tasks and write them; the same units give the same folder.

    Returns:
        The folder of the tasks, in which `step.task_file` finds one.
    """
    keys = "\n".join([str(count), str(sketch), *(unit.key for unit in units)])
    folder = out / STATE / FOLDER / hashlib.sha256(keys.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    for rank in range(count):
        # A login is never written down: every machine has its own, or HF_TOKEN.
        mine = [replace(unit, snapshot=replace(unit.snapshot, token=None)) for unit in units[rank::count]]
        aside = folder / f"{rank:05d}.{os.getpid()}"
        aside.write_bytes(msgspec.json.encode(ClusterTask(units=mine, sketch=sketch, program=program())))
        aside.replace(task_file(folder, rank))
    return folder


def read(file: Path) -> ClusterTask:
    """Read a task's file. Raises ConfigError where it was written by other versions than this machine has."""
    task = msgspec.json.decode(file.read_bytes(), type=ClusterTask)
    if task.program != program():
        msg = f"{file}: was written with {task.program}, but this machine has {program()}; install the same versions"
        raise ConfigError(msg)
    return task
