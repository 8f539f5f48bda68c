"""How soon the package, the command line and the first row are there, each in a fresh process.

CPU seconds approximate the wait: the work is done by one thread, and on a busy machine wall time measures the others.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

_OWN = """
import sys, time
began, cpu = time.perf_counter(), time.process_time()
{first}
print(time.perf_counter() - began, time.process_time() - cpu)
{then}
"""

IMPORT = _OWN.format(first="import sera_swezero", then="assert 'datasets' not in sys.modules")

FIRST_ROW = _OWN.format(
    first="import datasets",
    then="""
import sera_swezero
stream = datasets.load_dataset("sera_swezero", "glm-4.6-lite-t2", upstream="sample", split="train", streaming=True)
next(iter(stream))
sys.stdout.flush()
os = __import__("os")
os._exit(0)  # the row is there; taking the process down is not part of it
""",
)

Took = tuple[float, float]
"""Seconds: wall, CPU."""


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Median seconds of each; the first row counts from the start of its process, without importing `datasets`."""
    kinds: dict[str, Callable[[], Took]] = {"import": _import, "help": _help, "first_row": _first_row}
    taken: dict[str, list[Took]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, run in kinds.items():
            taken[name].append(run())
    return {
        name: {"wall": median(wall for wall, _ in values), "cpu": median(cpu for _, cpu in values)}
        for name, values in taken.items()
    }


def _import() -> Took:
    return _run("-c", IMPORT)[1]


def _help() -> Took:
    return _run("-m", "sera_swezero", "--help")[0]


def _first_row() -> Took:
    (wall, cpu), (import_wall, import_cpu) = _run("-c", FIRST_ROW)
    return wall - import_wall, cpu - import_cpu


def _run(*arguments: str) -> tuple[Took, Took]:
    """What the whole process took, and what it printed of itself on its first line."""
    began = time.perf_counter()
    child = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True)
    first, *_ = (child.stdout.read() if child.stdout else "").splitlines()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{arguments} failed")
    whole = time.perf_counter() - began, usage.ru_utime + usage.ru_stime
    try:
        wall, cpu = map(float, first.split())
    except ValueError:
        wall = cpu = 0.0
    return whole, (wall, cpu)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
