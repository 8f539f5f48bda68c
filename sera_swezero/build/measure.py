"""What building one unit takes, measured in a process that does nothing else."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import NamedTuple

from sera_swezero.build.build_shard import build_shards
from sera_swezero.build.unit_files import Unit


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
    (shard,) = build_shards([unit], out)
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
