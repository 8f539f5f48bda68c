"""What building one shard takes, measured in a process of its own. As a task's, it imports no more than it needs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from sera_swezero.build import unit_files
from sera_swezero.build.unit_files import Unit


class Took(NamedTuple):
    """What one shard took. raw: bytes read. rows, bytes: of its files, rejected records among the bytes.

    start, work: processor seconds before and for the shard. memory: bytes at the peak.
    """

    raw: int
    rows: int
    bytes: int
    start: float
    work: float
    memory: int


def measure(unit: Unit, raw: int, out: Path) -> Took:
    """Build one unit below `out` in this process, which has done nothing else."""
    start = time.process_time()
    built = unit_files.build_shard(unit, out)
    work = time.process_time() - start
    rows = built.data.rows if built.data else 0
    return Took(raw, rows, sum(file.bytes for file in built.files), start, work, peak())


def peak() -> int:
    """Most bytes of memory that this process has had."""
    try:
        # The kernel's own count of the process as it is; what the other call tells begins before its program.
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    import resource
    import sys

    told = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return told if sys.platform == "darwin" else told * 1024
