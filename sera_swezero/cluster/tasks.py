"""What each task has to do: one small file a task below the build's state, so that no task reads the plan of all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from sera_swezero.build import unit_files
from sera_swezero.build.unit_files import Unit
from sera_swezero.cluster.step import task_file

FOLDER = "tasks"


class Task(msgspec.Struct):
    """Some units, in the order in which they are built; sketch: whether to count what is in their files too."""

    units: list[Unit]
    sketch: bool = False


def write(units: Sequence[Unit], out: Path, count: int, *, sketch: bool = False) -> Path:
    """Deal the units out to `count` tasks and write them; the same units give the same folder.

    Returns:
        The folder of the tasks, in which `step.task_file` finds one.
    """
    keys = "\n".join([str(count), str(sketch), *(unit.key() for unit in units)])
    folder = out / unit_files.STATE / FOLDER / hashlib.sha256(keys.encode()).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    for rank in range(count):
        # A login is never written down: every machine has its own, or HF_TOKEN.
        mine = [replace(unit, snapshot=replace(unit.snapshot, token=None)) for unit in units[rank::count]]
        aside = folder / f"{rank:05d}.{os.getpid()}"
        aside.write_bytes(msgspec.json.encode(Task(mine, sketch)))
        aside.replace(task_file(folder, rank))
    return folder


def read(file: Path) -> Task:
    """Read a task's file."""
    return msgspec.json.decode(file.read_bytes(), type=Task)
