"""Streaming a folder of runs, one file each: SWE-agent's `.traj` files against SERA's JSONL of the same histories.

    python -m benchmarks.run_files [--files 10000] [--rows 600] [--latency 0.05]

A generated SERA row becomes a file as SWE-agent writes it: its history indented, the steps with what the model was sent
cut to its last message, the run's configuration. That is some 300 kB. The files of `--files` are links to those of
`--rows`, because only their number matters. Prints, from a local folder and from the loopback hub (whose answers take
`--latency` seconds): CPU seconds of planning, bytes per second and per CPU second of one process, and the requests that
planning takes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.corpus import KEPT, SERA, corpus, data_files
from benchmarks.table import markdown
from sera_swezero.catalog import CONFIGS
from tests.hub import LoopbackHub

REPO = "lab/runs"


def as_file(row: dict[str, Any]) -> bytes:
    """A SERA row as SWE-agent's own file."""
    history = json.loads(row["messages"])
    turns = [at for at, message in enumerate(history) if message["role"] == "assistant"]
    steps = [
        {
            "action": history[at]["action"],
            "observation": text(history[at + 1]) if at + 1 < len(history) else "",
            "response": text(history[at]),
            "thought": history[at]["thought"],
            "execution_time": 0.25,
            "state": {"working_dir": "/testbed", "diff": ""},
            "query": history[at - 1 : at],
            "extra_info": {},
        }
        for at in turns
    ]
    info = {"exit_status": "submitted", "submission": row["rollout_patch"], "edited_files30": "", "model_stats": {}}
    config = json.dumps({"agent": {"model": {"name": "acme/coder-1"}}})
    made = {"trajectory": steps, "history": history, "info": info, "replay_config": config, "environment": "main"}
    return json.dumps(made, indent=2).encode()


def text(message: dict[str, Any]) -> str:
    """The text of a message."""
    content = message["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def layout(files: int, rows: int) -> tuple[Path, Path]:
    """A root with SERA's JSONL, and a folder of runs; made once and kept."""
    lines = corpus(SERA, rows)
    root = KEPT / f"run-files-{files}-{rows}"
    if not root.is_dir():
        with tempfile.TemporaryDirectory(dir=KEPT) as aside:
            made = [as_file(json.loads(line)) for file in data_files(lines) for line in file.read_bytes().splitlines()]
            for number in range(files):
                file = Path(aside, "made", f"batch-{number // 500}", f"run_{number}", f"run_{number}.traj")
                file.parent.mkdir(parents=True)
                if number < len(made):
                    file.write_bytes(made[number])
                else:
                    os.link(Path(aside, "made", *first(number % len(made))), file)
            Path(aside, "made").rename(root)
    return lines, root


def first(number: int) -> tuple[str, str, str]:
    """Where the file of a number lies."""
    return f"batch-{number // 500}", f"run_{number}", f"run_{number}.traj"


def measure(config: str, upstream: str, size: float, count: int) -> dict[str, float]:
    """One process: CPU seconds to plan, then megabytes per second and per CPU second; `size`: megabytes of a record."""
    import datasets  # noqa: F401

    import sera_swezero.loading.builder
    import sera_swezero.loading.examples

    arguments = {"upstream": upstream} if upstream else {}
    used = time.process_time()
    rows = iter(sera_swezero.load_dataset(config, split="train", streaming=True, **arguments))
    planned = time.process_time() - used
    next(rows)
    began, used = time.perf_counter(), time.process_time()
    seen = sum(1 for _ in islice(rows, count))
    took, cpu = time.perf_counter() - began, time.process_time() - used
    return {"planning, CPU s": planned, "MB/s": size * seen / took, "MB per CPU s": size * seen / cpu, "rows": seen}


def mean_size(root: Path) -> float:
    """Megabytes of a record below a root: of a line of JSONL, or of a file."""
    files = [path for path in root.rglob("*") if path.is_file()]
    records = sum(path.read_bytes().count(b"\n") if path.suffix == ".jsonl" else 1 for path in files)
    return sum(path.stat().st_size for path in files) / records / 1e6


def main() -> None:
    """Run the command line; the measured processes are further runs of it."""
    parser = argparse.ArgumentParser("python -m benchmarks.run_files", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="files of runs in the folder")
    parser.add_argument("--hub-files", type=int, default=1_000, help="files of runs on the hub, which keeps a copy")
    parser.add_argument("--rows", type=int, default=600, help="lines of SERA's JSONL, and different files of runs")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds until the hub answers")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, of which the median counts")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        config, upstream, size = given.child
        print(json.dumps(measure(config, upstream, float(size), given.rows - 1)))
        return
    lines, runs = layout(given.files, given.rows)
    _, fewer = layout(given.hub_files, given.rows)
    places = {
        "JSONL, folder": (SERA, str(lines), lines),
        "files, folder": ("swe-agent", str(runs), runs),
        "JSONL, hub": (SERA, "", lines),
        "files, hub": ("swe-agent", f"hf://datasets/{REPO}", fewer),
    }
    found: dict[str, list[dict[str, float]]] = {name: [] for name in places}
    with tempfile.TemporaryDirectory() as folder, LoopbackHub(folder) as hub:
        hub.faults.add("latency", seconds=given.latency, times=None)
        (sera,) = CONFIGS[SERA].origins
        hub.add_dataset(sera.repo, lines / sera.repo)
        hub.add_dataset(REPO, fewer)
        for _ in range(given.rounds):
            for name, (config, upstream, root) in places.items():
                hub.request_log.clear()
                line = [sys.executable, "-m", "benchmarks.run_files", "--rows", str(given.rows)]
                line += ["--child", config, upstream, str(mean_size(root))]
                done = subprocess.run(line, env=hub.env(), stdout=subprocess.PIPE, text=True, check=True)
                asked = len([one for one in hub.requests() if one.host == "hub" and "/resolve/" not in one.path])
                found[name].append(json.loads(done.stdout) | {"requests to list": asked})
    names = list(found["files, hub"][0])
    figures = [(name, *(f"{median(one[name] for one in found[place]):.3g}" for place in found)) for name in names]
    print(markdown([("", *found), *figures]))


if __name__ == "__main__":
    main()
