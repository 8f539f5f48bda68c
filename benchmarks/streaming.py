"""Streaming from a hub on loopback with 50 ms of added latency per request, against `datasets` alone on the same file.

    python -m benchmarks.streaming [--rows 3000] [--rounds 3] [--json FILE] [--page]

Both sides read the same generated SERA set (190 KB per row) in fresh processes, in turns in every round. Theirs is
`load_dataset("json", streaming=True)` and the conversion that one writes by hand; ours validates as well. A figure is
the median of the rounds' own ratios. Two worker processes read a local copy, where no server limits them, and for
comparison the hub. The hub is a process of its own, but shares the machine's cores: what it took, and what others took
meanwhile, is kept with every run. A run during which others took more than a tenth of the machine is done again, twice
at most; what disturbed the last one stays in the figures. On a busy machine those in CPU seconds say more.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.corpus import SERA, corpus, data_files
from benchmarks.results import Target, as_json
from benchmarks.runs import cpus_at_hand, middle, ratio
from benchmarks.streams import LATENCY, REPO
from benchmarks.table import ROOT, STREAMING, markdown, put
from tests.hub import LoopbackHub

AGAIN = 2  # times that a disturbed run is done again
NARROW = 12_500_000  # bytes per second: 100 Mbit/s
PAGE = ROOT / "docs" / "training.md"
BEGIN, END = "<!-- figures: written by `python -m benchmarks.streaming --page` -->", "<!-- end of figures -->"

Taken = dict[str, list[dict[str, float]]]


def spawn(env: dict[str, str], *command: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "benchmarks.streams", *command]
    return subprocess.Popen(line, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def reported(process: subprocess.Popen[str]) -> dict[str, float]:
    out, _ = process.communicate()
    assert process.returncode == 0, "a measured process failed"
    found: dict[str, float] = json.loads(out.splitlines()[-1])
    return found


def workers(env: dict[str, str], world: int, *root: str) -> dict[str, float]:
    """Seconds until all ranks have read their shares, and the CPU seconds of the rank that used most."""
    ranks = [spawn(env, "share", str(rank), str(world), *root) for rank in range(world)]
    for rank in ranks:
        assert rank.stdout is not None
        rank.stdout.readline()
    for rank in ranks:
        assert rank.stdin is not None
        rank.stdin.write("go\n")
        rank.stdin.flush()
    spans = [reported(rank) for rank in ranks]
    wall = max(span["ended"] for span in spans) - min(span["began"] for span in spans)
    return {"wall": wall, "cpu": max(span["cpu"] for span in spans), "rows": sum(span["rows"] for span in spans)}


def watched(run: Callable[[], dict[str, float]]) -> dict[str, float]:
    """What a run measures, and the CPUs that the hub (this process) and others had meanwhile, on average."""

    def used() -> tuple[float, float, float, float]:
        times = os.times()
        fields = [int(field) for field in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]]
        busy = (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")  # all but idle and waiting for a disk
        children = times.children_user + times.children_system
        return time.perf_counter(), times.user + times.system, children, busy

    before = used()
    found = run()
    wall, hub, children, busy = (after - then for after, then in zip(used(), before, strict=True))
    return {**found, "hub_cpus": hub / wall, "other_cpus": max(0.0, busy - hub - children) / wall}


def disturbed(found: dict[str, float]) -> bool:
    """Whether other work took more than a tenth of the machine during a run."""
    return found["other_cpus"] > 0.1 * (os.cpu_count() or 1)


def rounds(rows: int, count: int) -> Taken:
    """Every measurement, `count` times, in turns."""
    root = corpus(SERA, rows)
    (file,) = data_files(root)
    fewer = str(min(rows, 600))
    taken: Taken = {}
    with tempfile.TemporaryDirectory() as folder, LoopbackHub(folder) as hub:
        hub.add_dataset(REPO, {file.name: file})
        env = hub.env()

        def take(name: str, run: Callable[[], dict[str, float]]) -> None:
            found = watched(run)
            for _ in range(AGAIN):
                if disturbed(found):
                    found = watched(run)
            taken.setdefault(name, []).append(found)

        for number in range(count):
            print(f"round {number + 1} of {count}", file=sys.stderr, flush=True)
            hub.faults.add("latency", seconds=LATENCY, times=None)
            take("ours", lambda: reported(spawn(env, "ours", str(rows))))
            take("theirs", lambda: reported(spawn(env, "theirs", fewer, file.name)))
            take("shuffled", lambda: reported(spawn(env, "shuffled", str(rows))))
            take("resume", lambda: reported(spawn(env, "resume")))
            for world, name in ((1, "one"), (2, "two")):
                take(name, lambda world=world: workers(env, world, str(root)))  # type: ignore[misc]
                take(f"{name}, hub", lambda world=world: workers(env, world))  # type: ignore[misc]
            hub.faults.add("bandwidth", host="cdn", bytes_per_second=NARROW, times=None)
            take("ours, narrow", lambda: reported(spawn(env, "ours", "1")))
            take("theirs, narrow", lambda: reported(spawn(env, "theirs", "1", file.name)))
            hub.faults.clear()
    return taken


def targets(taken: Taken) -> list[Target]:
    """The figures that have a bound."""
    ours, theirs = taken["ours"], taken["theirs"]
    resume = [{"reading": one["reading"] / one["resuming"], "resuming": 1.0} for one in taken["resume"]]

    def peak(name: str) -> float:
        return max(one["memory"] for one in taken[name])

    return [
        Target("first row after planning, sooner", ratio(theirs, ours, "first"), "at least", 5.0, "x"),
        Target("rows per second of one process", ratio(ours, theirs, "rate"), "at least", 3.5, "x"),
        Target(
            "two processes against one, wall, local copy",
            ratio(taken["one"], taken["two"], "wall"),
            "at least",
            1.5,
            "x",
        ),
        Target("resume to the last row against reading up to it", middle(resume, "reading"), "at least", 50.0, "x"),
        Target("peak memory over imports", peak("ours"), "at most", 100.0, "MB"),
        Target("peak memory over imports, shuffled", peak("shuffled"), "at most", 100.0, "MB"),
    ]


def besides(taken: Taken) -> dict[str, float]:
    """Further figures, which explain those that have a bound."""
    ours, theirs = taken["ours"], taken["theirs"]
    loading = {
        name: [{"sum": one["plan"] + one["first"]} for one in found] for name, found in (("o", ours), ("t", theirs))
    }
    return {
        "first row, ms": 1000 * middle(ours, "first"),
        "first row, of which CPU, ms": 1000 * middle(ours, "first_cpu"),
        "first row, theirs, ms": 1000 * middle(theirs, "first"),
        "first row, theirs, times one round trip": middle(theirs, "first") / LATENCY,
        "first row at 100 Mbit/s, times sooner": ratio(taken["theirs, narrow"], taken["ours, narrow"], "first"),
        "first row counted from load_dataset, times sooner": ratio(loading["t"], loading["o"], "sum"),
        "planning, ms": 1000 * middle(ours, "plan"),
        "planning, theirs, ms": 1000 * middle(theirs, "plan"),
        "rows per CPU second, times": ratio(ours, theirs, "rate_cpu"),
        "rows per second, shuffled, times": ratio(taken["shuffled"], theirs, "rate"),
        "rows per second": middle(ours, "rate"),
        "rows per second, theirs": middle(theirs, "rate"),
        "two processes against one, wall, from the hub": ratio(taken["one, hub"], taken["two, hub"], "wall"),
        "CPU seconds of one process, times those of the busier of two": ratio(taken["one"], taken["two"]),
        "peak memory over imports, theirs, MB": max(one["memory"] for one in theirs),
    }


def render(results: dict[str, Any]) -> str:
    """Both tables, and how busy the machine was."""
    bounds = [["target", "figure", "bound", ""]]
    for one in results["targets"]:
        bound = f"{one['way']} {one['bound']:g} {one['unit']}"
        bounds.append([one["name"], f"{one['figure']:.1f} {one['unit']}", bound, "met" if one["met"] else "**missed**"])
    machine = results["machine"]
    runs = [one for found in results["rounds"].values() for one in found]
    hub, others = (max(one[key] for one in runs) for key in ("hub_cpus", "other_cpus"))
    state = (
        f"{machine['cpus']} CPUs shared with the hub, which had {hub:.2f} of them at most during a run, and with other "
        f"work, which had {others:.2f} at most; it disturbed {sum(map(disturbed, runs))} of {len(runs)} runs.\n"
        f"Load average {machine['load']:.1f}; two processes that share nothing got {machine['at_hand'][0]:.2f} to "
        f"{machine['at_hand'][1]:.2f} CPUs before and after."
    )
    further = [["besides", "figure"], *([name, f"{value:.1f}"] for name, value in results["besides"].items())]
    return "\n\n".join([markdown(bounds), state, markdown(further)])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streaming", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=3000, help="rows of the set (190 KB each; default 3000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--json", type=Path, default=STREAMING, help="file that gets every figure (default %(default)s)"
    )
    parser.add_argument("--page", action="store_true", help="write the figures of that file into docs/training.md")
    given = parser.parse_args()
    if given.page:
        put(PAGE, BEGIN, render(json.loads(given.json.read_text(encoding="utf-8"))) + "\n", END)
        return
    at_hand = [cpus_at_hand()]
    taken = rounds(given.rows, given.rounds)
    at_hand.append(cpus_at_hand())
    machine = {"cpus": os.cpu_count(), "load": os.getloadavg()[1], "at_hand": sorted(at_hand)}  # load of five minutes
    results = {"targets": as_json(targets(taken)), "besides": besides(taken), "machine": machine, "rounds": taken}
    given.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(render(results))


if __name__ == "__main__":
    main()
