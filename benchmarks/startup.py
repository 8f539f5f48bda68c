"""How soon the package, the command line and the first row are there, each in a fresh process.

CPU seconds approximate the wait: the work is done by one thread, and on a busy machine wall time measures the others.
Only the first batch of a training loop is measured by the clock, because most of it is waiting for a hub.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.corpus import KEPT, SERA, corpus, data_files
from benchmarks.runs import Took, fresh, process
from benchmarks.streams import LATENCY, REPO
from tests.hub import LoopbackHub

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

FIRST_BATCH = """
import sys
from itertools import islice
from benchmarks.streams import {whose}
batch = list(islice({whose}({file}), 8))
assert len(batch) == 8
os = __import__("os")
os._exit(0)
"""

COMMANDS = {
    "show": "show {config} --upstream {root}",
    "stats": "stats {config} --upstream {root}",
    "check": "check {built}",
    "build": "build {config} --upstream {root} --view rectified --workers 1 --out {out}",
}
"""The commands whose start is measured, on a set of one row."""


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Median seconds of each; the first row counts from the start of its process, without importing `datasets`."""
    kinds: dict[str, Callable[[], Took]] = {"import": _import, "help": _help, "first_row": _first_row}
    root = corpus(SERA, 1)
    with tempfile.TemporaryDirectory(dir=KEPT) as folder:
        built, out = Path(folder, "built"), Path(folder, "out")
        for name in ("build", *COMMANDS):  # the first for `check` to have files, and Python its bytecode
            words = COMMANDS[name].format(config=SERA, root=root, built=built, out=out).split()
            if not built.exists():
                _run("-m", "sera_swezero", *[str(built) if word == str(out) else word for word in words])
            kinds[name] = partial(_command, words, out)
        return _medians(kinds, rounds)


def first_batch(rows: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Seconds from the start of a process to the first 8 rows of a stream, ours and by `datasets` alone.

    The hub is on loopback and adds 50 ms to every request.
    """
    (file,) = data_files(corpus(SERA, rows))
    taken: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
    with tempfile.TemporaryDirectory() as folder, LoopbackHub(folder) as hub:
        hub.add_dataset(REPO, {file.name: file})
        hub.faults.add("latency", seconds=LATENCY, times=None)
        for _ in range(rounds):
            for whose, given in (("ours", ""), ("theirs", repr(file.name))):
                (wall, cpu), _ = _run("-c", FIRST_BATCH.format(whose=whose, file=given), env=hub.env())
                taken[whose].append({"wall": wall, "cpu": cpu})
    return taken


def small_builds(rows: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    """CPU seconds of whole processes that build so many rows: the baseline, and the command `build`."""
    root = corpus(SERA, rows)
    taken: dict[str, list[dict[str, float]]] = {"baseline": [], "build": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=KEPT) as folder:
            found = fresh("benchmarks.child", "baseline", str(root), f"{folder}/baseline")
            taken["baseline"].append({"cpu": found["process_cpu"]})
            words = COMMANDS["build"].format(config=SERA, root=root, out=f"{folder}/build").split()
            taken["build"].append({"cpu": _run("-m", "sera_swezero", *words)[0][1]})
    return taken


def _medians(kinds: dict[str, Callable[[], Took]], rounds: int) -> dict[str, dict[str, float]]:
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


def _command(words: list[str], out: Path) -> Took:
    shutil.rmtree(out, ignore_errors=True)
    return _run("-m", "sera_swezero", *words)[0]


def _first_row() -> Took:
    (wall, cpu), (import_wall, import_cpu) = _run("-c", FIRST_ROW)
    return wall - import_wall, cpu - import_cpu


def _run(*arguments: str, env: dict[str, str] | None = None) -> tuple[Took, Took]:
    """What the whole process took, and what it printed of itself on its first line."""
    # Installed packages have bytecode, whatever the environment of this process says.
    given = {name: value for name, value in (env or os.environ).items() if name != "PYTHONDONTWRITEBYTECODE"}
    lines, whole = process(*arguments, env=given)
    try:
        wall, cpu = map(float, lines[0].split())
    except (IndexError, ValueError):
        wall = cpu = 0.0
    return whole, (wall, cpu)
