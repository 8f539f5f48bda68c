"""Run one variant in this process and print what it took, as JSON, on the last line."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.variants import VARIANTS, Job


def resident(key: str) -> int:
    """Bytes of memory in use (`VmRSS`), or the most since `forget_peak` (`VmHWM`)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


def forget_peak() -> None:
    """Let the kernel count the peak from here on."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def main(variant: str, root: str, out: str) -> None:
    """Measure one variant: seconds and bytes of this process, its imports not charged."""
    run = VARIANTS[variant]()
    Path(out).mkdir(parents=True)
    forget_peak()
    before = resident("VmRSS")
    wall, cpu = time.perf_counter(), time.process_time()
    rows = run(Job(Path(root), Path(out)))
    took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    print(json.dumps({"rows": rows, **took, "memory": resident("VmHWM") - before}))


if __name__ == "__main__":
    main(*sys.argv[1:])
