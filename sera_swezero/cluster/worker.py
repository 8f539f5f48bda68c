"""A task: `python -m sera_swezero.cluster.worker OUT TASK [--attended]` builds the units of a task's file below OUT.

It needs no engine, so any scheduler may call it. It leaves what is done alone, so it may be killed, run again, and run
twice at once: files are written aside and renamed (`build.build_shards`). An attended worker ends when its standard
input does, because then the process that started it is gone, and may be started again.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from sera_swezero.build import environment

if __name__ == "__main__":
    environment.prepare()

from sera_swezero.build.build_shard import build_shards
from sera_swezero.build.unit_files import Unit, finished, program
from sera_swezero.display.outputs import writing
from sera_swezero.errors import ConfigError, SeraSweZeroError


class ClusterTask(msgspec.Struct):
    """The content of a task's file: what the task has to do."""

    units: list[Unit]
    """The units, in the order in which they are built."""
    sketch: bool
    """Whether to count what is in their files, too (`quality.sketches`)."""
    program: str
    """What `unit_files.program()` gave where the task was written."""


def read(file: Path) -> ClusterTask:
    """Read a task's file. Raises ConfigError if it was written by other versions than this machine has."""
    task = msgspec.json.decode(file.read_bytes(), type=ClusterTask)
    if task.program != program():
        msg = f"{file}: was written with {task.program}, but this machine has {program()}; install the same versions"
        raise ConfigError(msg)
    return task


def work(out: Path, file: Path) -> None:
    """Build the task's units that are not done yet. Raises UpstreamError, ConfigError or OutputError."""
    task = read(file)
    for unit in task.units:
        with writing(out):
            shard = finished(unit, out) or build_shards([unit], out)[0]
        if task.sketch and shard.data is not None:
            from sera_swezero.quality import sketches

            sketches.sketch(shard.data, out)


def main(arguments: Sequence[str]) -> None:
    """Run one task."""
    out, file, *options = arguments
    if "--attended" in options:
        threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        work(Path(out), Path(file))
    except (SeraSweZeroError, MemoryError) as error:
        sys.exit(f"{type(error).__name__}: {error}")


def _leave_with_parent() -> None:
    # This reads the pipe itself, since Python's own standard input must not be read while the interpreter ends.
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
