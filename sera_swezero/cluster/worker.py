"""A task: `python -m sera_swezero.cluster.worker OUT TASK [--attended]` builds the units of a task's file below OUT.

It needs no engine, so any scheduler may call it. It leaves what is done alone, so it may be killed, run again, and run
twice at once: files are written aside and renamed (`build.build_shard`).
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from sera_swezero.build.build_shard import build_shard
from sera_swezero.build.unit_files import Unit, finished, program
from sera_swezero.cluster.step import ATTENDED
from sera_swezero.errors import ConfigError, SeraSweZeroError


class ClusterTask(msgspec.Struct):
    """What one task has to do, as its file says it."""

    units: list[Unit]
    """In the order in which they are built."""
    sketch: bool
    """Whether to count what is in their files too (`quality.sketches`)."""
    program: str
    """`unit_files.program()` where the task was written."""


def read(file: Path) -> ClusterTask:
    """Read a task's file. Raises ConfigError where it was written by other versions than this machine has."""
    task = msgspec.json.decode(file.read_bytes(), type=ClusterTask)
    if task.program != program():
        msg = f"{file}: was written with {task.program}, but this machine has {program()}; install the same versions"
        raise ConfigError(msg)
    return task


def work(out: Path, file: Path) -> None:
    """Build the task's units that are not done yet. Raises UpstreamError or ConfigError as `build_shard`."""
    task = read(file)
    for unit in task.units:
        shard = finished(unit, out) or build_shard(unit, out)
        if task.sketch and shard.data is not None:
            from sera_swezero.quality import sketches

            sketches.sketch(shard.data, out)


class Measured(NamedTuple):
    """What one unit took."""

    raw: int
    """Raw bytes of the records that start in it."""
    rows: int
    bytes: int
    """Of its files, rejected records among them."""
    start: float
    """Processor seconds that the process took before it."""
    work: float
    """Processor seconds that it took."""
    memory: int
    """Most bytes of memory that the process had."""


def measure(unit: Unit, raw: int, out: Path) -> Measured:
    """Build one unit below `out` in this process, which has done nothing else."""
    start = time.process_time()
    shard = build_shard(unit, out)
    size = sum(file.bytes for file in shard.files)
    return Measured(raw, shard.report.rows_out, size, start, time.process_time() - start, peak_memory())


def peak_memory() -> int:
    """Most bytes of memory that this process has had."""
    try:
        # The kernel's count of this process alone; the other one below includes the time before its program started.
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def main(arguments: Sequence[str]) -> None:
    """Run one task."""
    out, file, *options = arguments
    if ATTENDED in options:
        threading.Thread(target=_leave_with_parent, daemon=True).start()
    try:
        work(Path(out), Path(file))
    except SeraSweZeroError as error:
        sys.exit(f"{type(error).__name__}: {error}")


def _leave_with_parent() -> None:
    # The pipe itself: Python's own standard input may not be read while the interpreter ends.
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
