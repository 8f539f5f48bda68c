"""What a row costs as corpora and rows grow: it should stay the same per row, and per byte."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.corpus import KEPT, SERA, corpus, data_files
from benchmarks.runs import fresh

ROWS = (1_000, 10_000, 100_000)
"""Rows of the corpora, of `SMALL` bytes each: 100,000 rows of the usual size would be 19 GB."""

SMALL = 20_000

ROW_BYTES = (20_000, 60_000, 190_000, 600_000, 2_000_000)
"""Mean bytes of the rows in corpora of about `SAME` bytes each."""

SAME = 200_000_000


def by_rows(counts: Sequence[int] = ROWS, rounds: int = 3) -> list[dict[str, float]]:
    """CPU microseconds per row, and the peak of memory over imports, by the number of rows."""
    return [_measure(rows, SMALL, rounds) for rows in counts]


def by_bytes(sizes: Sequence[int] = ROW_BYTES, rounds: int = 3) -> list[dict[str, float]]:
    """The same by the size of rows, with CPU nanoseconds per raw byte."""
    return [_measure(max(SAME // size, 50), size, rounds) for size in sizes]


def _measure(rows: int, row_bytes: int, rounds: int) -> dict[str, float]:
    root = corpus(SERA, rows, row_bytes)
    raw = sum(path.stat().st_size for path in data_files(root))
    taken = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=KEPT) as folder:
            taken.append(fresh("benchmarks.child", "project, one process", str(root), str(Path(folder, "out"))))
    if raw > 1_000_000_000:
        shutil.rmtree(root)
    cpu = median(one["cpu"] for one in taken)
    memory = max(one["memory"] for one in taken)
    return {
        "rows": rows,
        "row_bytes": raw / rows,
        "us_per_row": cpu / rows * 1e6,
        "ns_per_byte": cpu / raw * 1e9,
        "memory": memory,
    }
