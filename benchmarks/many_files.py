"""Streaming a set that lies on the hub as SWE-ZERO-12M does: many Parquet files, each of one row group of 10,000 rows.

    python -m benchmarks.many_files [--files 70] [--rows 10000] [--rollouts 100]

The rows are generated, some 45 kB each; the rollouts of a task lie together. All files have the same content, since
only their number matters. Prints, in the order of the files and shuffled: rows per second of one process, peak memory
over imports, the median number of distinct instances among 64 consecutive rows, the files per rank at several world
sizes, and the requests of 64 ranks that each read their first row.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.child import forget_peak, resident
from benchmarks.corpus import KEPT, corpus, data_files
from benchmarks.table import markdown
from tests.hub import LoopbackHub

CONFIG, REPO = "swe-zero-12m", "AlienKevin/SWE-ZERO-12M-trajectories"
NEIGHBOURS = 64
WORLDS = (2, 8, 64)


def layout(files: int, rows: int, rollouts: int) -> Path:
    """A root with the files; made once and kept."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    root = KEPT / f"many-files-{files}-{rows}-{rollouts}"
    if root.is_dir():
        return root
    made = pa.concat_tables([pq.read_table(file) for file in data_files(corpus(CONFIG, rows))])
    names = pa.array([f"task-{row // rollouts}" for row in range(rows)])
    made = made.set_column(made.schema.get_field_index("instance_id"), "instance_id", names)
    with tempfile.TemporaryDirectory(dir=KEPT) as aside:
        data = Path(aside, "made", REPO, "data")
        data.mkdir(parents=True)
        first = data / "train-00000.parquet"
        pq.write_table(made, first, compression="zstd", compression_level=3, row_group_size=rows)
        for number in range(1, files):
            os.link(first, data / f"train-{number:05}.parquet")
        Path(aside, "made").rename(root)
    return root


def stream(order: dict[str, Any]) -> Any:
    """The set as the hub of this process's environment serves it."""
    import sera_swezero

    return sera_swezero.load_dataset(CONFIG, split="train", streaming=True, **order)


def measure(order: dict[str, Any], count: int) -> dict[str, Any]:
    """One process: its rate over `count` rows, its memory, how its neighbours mix, and the files of each rank."""
    import sera_swezero.loading.builder
    import sera_swezero.loading.examples  # noqa: F401
    from sera_swezero.loading.stream_plan import make_plan
    from sera_swezero.request.settle import settle
    from sera_swezero.upstream import DEFAULT_SHARD_BYTES, take_snapshot

    forget_peak()
    before = resident("VmRSS")
    began, names = time.perf_counter(), []
    for row in stream(order).take(count):
        names.append(row["instance_id"])
        if len(names) == 1:
            first = time.perf_counter()
    took = time.perf_counter() - first
    request = settle(CONFIG, **order)
    windows = make_plan(take_snapshot(request.origins), request, DEFAULT_SHARD_BYTES, **order).windows(0)
    files = {world: [sum(len(w.shards) for w in windows[rank::world]) for rank in range(world)] for world in WORLDS}
    spans = range(0, len(names) - NEIGHBOURS, NEIGHBOURS)
    return {
        "first row, seconds": round(first - began, 2),
        "rows per second": round((len(names) - 1) / took),
        "peak memory, MB": round((resident("VmHWM") - before) / 1e6),
        f"distinct among {NEIGHBOURS}": median(len(set(names[at : at + NEIGHBOURS])) for at in spans),
        **{f"files per rank, {world} ranks": f"{min(each)} to {max(each)}" for world, each in files.items()},
    }


def first_rows(order: dict[str, Any], world: int) -> None:
    """Each rank reads its first row."""
    from datasets.distributed import split_dataset_by_node

    for rank in range(world):
        next(iter(split_dataset_by_node(stream(order), rank, world)))


def main() -> None:
    """Run the command line; the measured processes are further runs of it."""
    parser = argparse.ArgumentParser("python -m benchmarks.many_files", description=__doc__)
    parser.add_argument("--files", type=int, default=70, help="more than 64, so that planning reads no footers")
    parser.add_argument("--rows", type=int, default=10_000, help="rows per file")
    parser.add_argument("--rollouts", type=int, default=100, help="rows per task")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    orders: dict[str, dict[str, Any]] = {"in order": {}, "shuffled": {"shuffle_seed": 1}}
    if given.child:
        what, order = given.child
        if what == "start":
            first_rows(orders[order], WORLDS[-1])
        else:
            print(json.dumps(measure(orders[order], int(what))))
        return
    with tempfile.TemporaryDirectory() as folder, LoopbackHub(folder) as hub:
        hub.add_dataset(REPO, layout(given.files, given.rows, given.rollouts) / REPO)
        found = {}
        for order, what in itertools.product(orders, (str(given.rows * 3 // 2), "start")):
            hub.request_log.clear()
            line = [sys.executable, "-m", "benchmarks.many_files", "--child", what, order]
            done = subprocess.run(line, env=hub.env(), stdout=subprocess.PIPE, text=True, check=True)
            if what != "start":
                found[order] = json.loads(done.stdout)
            else:
                asked = len(hub.requests()) - len(hub.requests(host="cdn"))
                found[order][f"requests to the hub, {WORLDS[-1]} ranks start"] = asked
    figures = [(name, *(str(found[order][name]) for order in orders)) for name in found["in order"]]
    print(markdown([("", *orders), *figures]))


if __name__ == "__main__":
    main()
