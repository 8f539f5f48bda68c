"""Streaming from a hub on loopback with 50 ms of added latency per request, against `datasets` alone on the same file.

    python -m benchmarks.streaming [--rows 3000] [--rounds 3] [--json FILE]

Both sides read the same generated SERA set (190 KB a row) in fresh processes, in turns in every round. Theirs is
`load_dataset("json", streaming=True)` and the conversion that one writes by hand; ours validates as well. Figures that
are told are ratios of medians. Two worker processes read a local copy, where no server limits them. On a busy machine
the figures in CPU seconds say more: waiting for a core weighs on whoever computes, not on whoever waits for the server.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.by_hand_sera import recall, rectified
from benchmarks.corpus import SERA, corpus, data_files
from tests.hub import LoopbackHub

REPO = "allenai/Sera-4.6-Lite-T2"
LATENCY = 0.05  # seconds, added to every request
TARGETS = {
    "first row, times sooner": 5.0,
    "rows per second, times": 3.5,
    "two processes, times one": 1.5,
    "resume to the last row, times sooner than reading up to it": 50.0,
}
MEMORY = 100  # MB over imports, at most


def resident(key: str) -> float:
    """MB in use (`VmRSS`), or the most of it since `forget_peak` (`VmHWM`)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1]) / 1000


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def ours(**arguments: Any) -> Any:
    import sera_swezero

    return sera_swezero.load_dataset(SERA, split="train", streaming=True, **arguments)


def theirs(file: str) -> Iterator[dict[str, Any]]:
    """Rows as `datasets` streams them, converted by hand with the standard library."""
    import datasets

    rows = datasets.load_dataset("json", data_files=f"hf://datasets/{REPO}/{file}", split="train", streaming=True)

    def call(name: str, arguments: str) -> str:
        return json.dumps({"name": name, "arguments": json.loads(arguments)}, ensure_ascii=False)

    def convert(row: dict[str, Any]) -> dict[str, Any]:
        row["messages"] = json.dumps(rectified(row, json.loads, call), ensure_ascii=False)
        return row | {"line_level_recall": recall(row["target_patch"], row["rollout_patch"])}

    return (convert(row) for row in rows)


def measured(make: Callable[[], Any], count: int) -> dict[str, float]:
    """Seconds to make a stream and to its first row, rows a second after that, peak memory in MB over imports."""
    forget_peak()
    before = resident("VmRSS")
    began = time.perf_counter()
    stream = iter(make())
    planned = time.perf_counter()
    next(stream)
    first, used = time.perf_counter(), time.process_time()
    rows = sum(1 for _ in islice(stream, count))
    took, used = time.perf_counter() - first, time.process_time() - used
    return {
        "plan": planned - began,
        "first": first - planned,
        "rate": rows / took,
        "rate_cpu": rows / used,
        "memory": resident("VmHWM") - before,
        "rows": rows + 1,
    }


def resumed() -> dict[str, float]:
    """Seconds to read up to the last row of a file, and to resume there."""
    whole = ours()
    began = time.perf_counter()
    states = [None, None]
    for _ in whole:
        states = [states[1], whole.state_dict()]
    reading = time.perf_counter() - began
    again = ours()
    again.load_state_dict(states[0])
    began = time.perf_counter()
    rest = sum(1 for _ in again)
    assert rest == 1
    return {"reading": reading, "resuming": time.perf_counter() - began}


def share(rank: int, world: int, root: str) -> dict[str, float]:
    """One rank's wall-clock time of reading its share below a root, from a start that all ranks agree on."""
    from datasets.distributed import split_dataset_by_node

    mine = split_dataset_by_node(ours(upstream=root), rank, world)
    print("ready", flush=True)
    sys.stdin.readline()
    began, used = time.time(), time.process_time()
    rows = sum(1 for _ in mine)
    return {"began": began, "ended": time.time(), "cpu": time.process_time() - used, "rows": rows}


def child(what: str, *rest: str) -> dict[str, float]:
    """What one fresh process measures."""
    import logging

    import datasets  # noqa: F401 (imports are not charged)

    import sera_swezero.builder
    import sera_swezero.streaming  # noqa: F401

    logging.getLogger("sera_swezero").setLevel(logging.ERROR)
    if what == "ours":
        return measured(ours, int(rest[0]))
    if what == "shuffled":
        return measured(lambda: ours(shuffle_seed=1), int(rest[0]))
    if what == "theirs":
        return measured(lambda: theirs(rest[1]), int(rest[0]))
    return resumed() if what == "resume" else share(int(rest[0]), int(rest[1]), rest[2])


def spawn(env: dict[str, str], *command: str) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "benchmarks.streaming", "--child", *command]
    return subprocess.Popen(line, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def told(process: subprocess.Popen[str]) -> dict[str, float]:
    out, _ = process.communicate()
    assert process.returncode == 0, "a measured process failed"
    found: dict[str, float] = json.loads(out.splitlines()[-1])
    return found


def workers(env: dict[str, str], world: int, root: str) -> dict[str, float]:
    """Seconds until all ranks have read their shares, and the CPU seconds of the rank that used most."""
    ranks = [spawn(env, "share", str(rank), str(world), root) for rank in range(world)]
    for rank in ranks:
        assert rank.stdout is not None
        assert rank.stdin is not None
        rank.stdout.readline()
    for rank in ranks:
        rank.stdin.write("go\n")  # type: ignore[union-attr]
        rank.stdin.flush()  # type: ignore[union-attr]
    spans = [told(rank) for rank in ranks]
    wall = max(span["ended"] for span in spans) - min(span["began"] for span in spans)
    return {"wall": wall, "cpu": max(span["cpu"] for span in spans), "rows": sum(span["rows"] for span in spans)}


def rounds(rows: int, count: int) -> dict[str, list[Any]]:
    """Every measurement, `count` times, in turns."""
    root = corpus(SERA, rows)
    (file,) = data_files(root)
    found: dict[str, list[Any]] = {name: [] for name in ("ours", "theirs", "shuffled", "resume", "one", "two")}
    with tempfile.TemporaryDirectory() as folder, LoopbackHub(folder) as hub:
        hub.add_dataset(REPO, {file.name: file})
        hub.faults.add("latency", seconds=LATENCY, times=None)
        env = hub.env()
        for number in range(count):
            print(f"round {number + 1} of {count}", file=sys.stderr, flush=True)
            found["ours"].append(told(spawn(env, "ours", str(rows))))
            found["theirs"].append(told(spawn(env, "theirs", str(min(rows, 600)), file.name)))
            found["shuffled"].append(told(spawn(env, "shuffled", str(rows))))
            found["resume"].append(told(spawn(env, "resume")))
            found["one"].append(workers(env, 1, str(root)))
            found["two"].append(workers(env, 2, str(root)))
    return found


def summary(found: dict[str, list[Any]]) -> dict[str, float]:
    """Ratios of medians, and memory in MB."""

    def middle(name: str, key: str) -> float:
        return median(one[key] for one in found[name])

    ratios = (
        middle("theirs", "first") / middle("ours", "first"),
        middle("ours", "rate") / middle("theirs", "rate"),
        middle("one", "wall") / middle("two", "wall"),
        middle("resume", "reading") / middle("resume", "resuming"),
    )
    return {
        **dict(zip(TARGETS, ratios, strict=True)),
        "rows per CPU second, times": middle("ours", "rate_cpu") / middle("theirs", "rate_cpu"),
        "CPU seconds of one process, times those of the busier of two": middle("one", "cpu") / middle("two", "cpu"),
        "shuffled: rows per second, times": middle("shuffled", "rate") / middle("theirs", "rate"),
        "planning, times the first row": middle("ours", "plan") / middle("ours", "first"),
        "peak memory over imports, MB": max(one["memory"] for one in found["ours"]),
        "shuffled: peak memory over imports, MB": max(one["memory"] for one in found["shuffled"]),
        "theirs: peak memory over imports, MB": max(one["memory"] for one in found["theirs"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streaming", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=3000, help="rows of the set (190 KB each; default 3000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="file that gets every figure")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(child(*given.child)))
        return
    found = rounds(given.rows, given.rounds)
    result = summary(found)
    for name, figure in result.items():
        target = TARGETS.get(name)
        print(f"{name:65} {figure:8.1f}" + (f"   (target {target})" if target else ""))
    if given.json:
        machine = {"cpus": os.cpu_count(), "load": os.getloadavg()[1]}  # of five minutes: the rounds'
        everything = {"summary": result, "machine": machine, "rounds": found}
        given.json.write_text(json.dumps(everything, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
