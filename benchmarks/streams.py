"""What one process of the streaming benchmark measures: `python -m benchmarks.streams WHAT ...` prints it as JSON.

ours ROWS, shuffled ROWS, theirs ROWS FILE: time to the first row, rate, memory. resume: time to the last row of a file.
share RANK WORLD [ROOT]: one rank's reading of its share, from the hub or below a root.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from benchmarks.by_hand_sera import recall, rectified
from benchmarks.child import forget_peak, resident
from benchmarks.corpus import SERA
from benchmarks.results import MB

REPO = "allenai/Sera-4.6-Lite-T2"
LATENCY = 0.05
"""Seconds that the hub adds to every request."""


def ours(**arguments: Any) -> Any:
    """The stream that is measured."""
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
    """Seconds to make a stream (plan) and from there to its first row (first; of which CPU: first_cpu), rows per second
    and a CPU second after that (rate, rate_cpu), peak memory in MB over imports."""
    forget_peak()
    before = resident("VmRSS")
    began = time.perf_counter()
    stream = iter(make())
    planned, used = time.perf_counter(), time.process_time()
    next(stream)
    first, first_used = time.perf_counter(), time.process_time()
    rows = sum(1 for _ in islice(stream, count))
    took, took_cpu = time.perf_counter() - first, time.process_time() - first_used
    return {
        "plan": planned - began,
        "first": first - planned,
        "first_cpu": first_used - used,
        "rate": rows / took,
        "rate_cpu": rows / took_cpu,
        "memory": (resident("VmHWM") - before) / MB,
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


def share(rank: int, world: int, **arguments: Any) -> dict[str, float]:
    """One rank's wall-clock time of reading its share, from a start that all ranks agree on: planning is done."""
    from datasets.distributed import split_dataset_by_node

    mine = split_dataset_by_node(ours(**arguments), rank, world)
    print("ready", flush=True)
    sys.stdin.readline()
    began, used = time.time(), time.process_time()
    rows = sum(1 for _ in mine)
    return {"began": began, "ended": time.time(), "cpu": time.process_time() - used, "rows": rows}


def main(what: str, *rest: str) -> dict[str, float]:
    """What was asked for; imports are not charged."""
    import datasets  # noqa: F401

    import sera_swezero.loading.builder
    import sera_swezero.loading.examples  # noqa: F401

    logging.getLogger("sera_swezero").setLevel(logging.ERROR)
    if what == "theirs":
        return measured(lambda: theirs(rest[1]), int(rest[0]))
    if what in {"ours", "shuffled"}:
        return measured(lambda: ours(shuffle_seed=1 if what == "shuffled" else None), int(rest[0]))
    if what == "resume":
        return resumed()
    root = {"upstream": rest[2]} if rest[2:] else {}
    return share(int(rest[0]), int(rest[1]), **root)


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
