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
    """Bytes of its files, rejected records included."""
    start: float
    """Processor seconds that the process took before the unit."""
    work: float
    """Processor seconds that the unit took."""
    memory: int
    """The most bytes of memory that the process had."""


def measure(unit: Unit, raw: int, out: Path) -> Measured:
    """Build one unit below `out` in this process, which must have done nothing else before."""
    start = time.process_time()
    (shard,) = build_shards([unit], out)
    size = sum(file.bytes for file in shard.files)
    return Measured(raw, shard.report.rows_out, size, start, time.process_time() - start, peak_memory())


def peak_memory() -> int:
    """The most bytes of memory that this process has had."""
    try:
        # Linux counts this program alone here; the count below includes the time before it was started.
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
