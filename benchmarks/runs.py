"""Run commands in fresh processes and measure what they take."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.corpus import KEPT
from benchmarks.writing import file_bytes, row_digest, settings_of

Figures = dict[str, float]
"""What one run took. wall, cpu: seconds without imports, memory: bytes over imports (the child's own figures);
process_wall, process_cpu: seconds of the whole process and its workers."""

Took = tuple[float, float]
"""Seconds: wall, CPU."""


def fresh(module: str, *arguments: str) -> dict[str, Any]:
    """Run a module in a fresh process; gives the JSON of its last line and the figures of the whole process."""
    lines, (wall, cpu) = process("-m", module, *arguments)
    return {**json.loads(lines[-1]), "process_wall": wall, "process_cpu": cpu}


def process(*arguments: str, env: Mapping[str, str] | None = None) -> tuple[list[str], Took]:
    """Run Python; gives the lines that it printed, and what the whole process and its workers took."""
    command = [sys.executable, *arguments]
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    output = child.stdout.read() if child.stdout else ""
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return output.splitlines(), (wall, usage.ru_utime + usage.ru_stime)


def compare(
    variants: Sequence[str], root: Path, rounds: int, besides: Callable[[], None] = lambda: None
) -> dict[str, list[Figures]]:
    """Run the variants in turn, `rounds` times over, and hold their rows and settings to the first one's.

    `besides` runs in every round too.

    Raises:
        SystemExit: two variants gave other rows, or files with other settings.
    """
    taken: dict[str, list[Figures]] = {name: [] for name in variants}
    for number in range(rounds):
        with tempfile.TemporaryDirectory(dir=KEPT) as folder:
            outs = {name: Path(folder, str(index)) for index, name in enumerate(variants)}
            for name, out in outs.items():
                print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr, flush=True)
                taken[name].append(fresh("benchmarks.child", name, str(root), str(out)))
                shutil.rmtree(out / "cache", ignore_errors=True)
            besides()
            if number == 0:
                _same(outs)
    return taken


def by_itself(variant: str, root: Path) -> Figures:
    """Run a variant once, whatever rows it gives."""
    with tempfile.TemporaryDirectory(dir=KEPT) as folder:
        return fresh("benchmarks.child", variant, str(root), f"{folder}/out")


def _same(outs: Mapping[str, Path]) -> None:
    """All variants wrote the same rows with the same settings."""
    shown = {name: (row_digest(out), settings_of(out)) for name, out in outs.items()}
    sizes = {name: file_bytes(out) for name, out in outs.items()}
    if len({repr(one) for one in shown.values()}) > 1:
        raise SystemExit("the variants differ:\n" + "\n".join(f"{name}: {one}" for name, one in shown.items()))
    if max(sizes.values()) > 1.05 * min(sizes.values()):
        raise SystemExit(f"the files differ in size by more than a twentieth: {sizes}")


def middle(figures: Sequence[Figures], key: str) -> float:
    """The median of one figure over the rounds."""
    return median(one[key] for one in figures)


def ratio(one: Sequence[Figures], other: Sequence[Figures], key: str = "cpu") -> float:
    """How many times as much `one` took: the median of the rounds' own ratios, since a round shares its load."""
    return median(a[key] / b[key] for a, b in zip(one, other, strict=True))


SPIN = "import time\nwhile time.process_time() < 1: pass"


def cpus_at_hand() -> float:
    """How many CPUs two processes that share nothing really get: what two workers can gain at most just now."""
    began = time.perf_counter()
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(2)]
    for child in spinning:
        child.wait()
    return 2 / (time.perf_counter() - began)
