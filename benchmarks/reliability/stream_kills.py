"""Streams that are killed at random and go on from the last state that they saved: every row comes once, in order."""

from __future__ import annotations

import hashlib
import json
import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.reliability.network import chosen, hub_of_streams
from benchmarks.reliability.rounds import Part, Play
from tests.support.streams import CONFIG, T2, ZERO, stream


@contextmanager
def _prepared(folder: Path) -> Iterator[Play]:
    numbers = iter(range(1 << 30))

    @cache
    def expected(**arguments: Any) -> list[str]:
        return [_digest(row) for row in _rows(**arguments)]

    with hub_of_streams(folder) as hub:  # before the server of processes starts, which inherits its address
        hub.faults.add("latency", seconds=0.02, times=None)
        processes = get_context("forkserver")
        processes.set_forkserver_preload(["benchmarks.reliability.__main__", "sera_swezero.loading.load"])

        def play(rng: random.Random) -> dict[str, int]:
            arguments = {**chosen(rng), "around": rng.choice(["nothing", "rank", "filter", "mixture"])}
            journal = folder / f"{next(numbers)}.jsonl"
            journal.touch()
            planned, kills = rng.randint(1, 4), 0
            for number in range(planned + 1):
                reader = processes.Process(target=_read, args=(journal, arguments))
                reader.start()
                if number < planned:
                    _wait(reader, journal, rng.randint(0, 20), rng.uniform(0, 0.02))
                    reader.kill()
                reader.join()
                assert reader.exitcode in {0, -9}, f"the reader ended with {reader.exitcode}"
                kills += reader.exitcode == -9
            rows = [digest for digest, _ in _written(journal)]
            wanted = expected(**arguments)
            assert rows == wanted, f"{len(rows)} rows, where {len(wanted)} were expected"
            return {"streams gave every row once and in order": 1, "kills": kills, "rows": len(rows)}

        yield play


def _rows(around: str, **arguments: Any) -> Any:
    """The stream, with something of `datasets` around it."""
    from datasets import interleave_datasets
    from datasets.distributed import split_dataset_by_node

    if around == "mixture":
        parts = [stream(**{**arguments, "name": f"{CONFIG[repo]}-hermes"}) for repo in (T2, ZERO)]
        return interleave_datasets([part.select_columns(["messages", "instance_id"]) for part in parts])
    rows = stream(**arguments)
    if around == "rank":
        return split_dataset_by_node(rows, 1, 2)
    return rows.filter(lambda row: row["source_offset"] % 3 > 0) if around == "filter" else rows


def _read(journal: Path, arguments: dict[str, Any]) -> None:
    """Read on from the last state in the journal; every row goes there with the state behind it, as a job might do."""
    logging.getLogger("sera_swezero").setLevel(logging.ERROR)
    rows = _rows(**arguments)
    written = _written(journal)
    if written:
        rows.load_state_dict(written[-1][1])
    journal.write_text("".join(json.dumps(one) + "\n" for one in written), encoding="utf-8")
    with journal.open("a", encoding="utf-8") as out:
        for row in rows:
            print(json.dumps([_digest(row), rows.state_dict()]), file=out, flush=True)


def _written(journal: Path) -> list[Any]:
    """(digest of a row, state behind it) of all rows so far; a line that was cut off does not count."""
    lines = journal.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1]]


def _wait(reader: Any, journal: Path, rows: int, more: float) -> None:
    """Wait for some rows, or the reader's end, and a little more, so that a kill may hit anything."""
    before = journal.stat().st_size
    while reader.is_alive() and journal.read_bytes()[before:].count(b"\n") < rows:
        time.sleep(0.002)
    time.sleep(more)


def _digest(row: Any) -> str:
    return hashlib.sha256(json.dumps(row, sort_keys=True).encode()).hexdigest()[:16]


PART = Part(
    name="stream-kills",
    tried="A process reads a stream (plain, shuffled, one rank of two, filtered, or a mixture) and saves its state "
    "with every row; it is killed with SIGKILL one to four times, and goes on from the last state that it saved",
    prepared=_prepared,
)
