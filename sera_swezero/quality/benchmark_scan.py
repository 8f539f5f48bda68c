"""Which rows overlap a benchmark: one pass over the rows, which counts them and can write them down."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from sera_swezero.display.outputs import replacing
from sera_swezero.display.progress import RowProgress
from sera_swezero.quality.row_source import RowSource
from sera_swezero.quality.row_summary import summarise
from sera_swezero.request.benchmark_overlap import REASONS, Benchmark


class OverlapCount(NamedTuple):
    """How many rows there were, and how many of them overlap the benchmark."""

    rows: int
    overlaps: dict[str, int]
    """Rows by how they overlap, the keys of `REASONS`; a row counts once."""


def scan_overlaps(
    rows: RowSource,
    benchmark: Benchmark,
    out: Path | None = None,
    progress: RowProgress = lambda _rows, _done: None,
) -> OverlapCount:
    """Find the rows that overlap the benchmark.

    Args:
        rows: the rows to read, as `open_rows` gives them.
        benchmark: what to look for.
        out: a JSON Lines file to write; each line has the place of a row found, its set and how it overlaps.
        progress: called after each row.

    Raises:
        ConfigError, UpstreamError: as the rows are read. OutputError: the file cannot be written.
    """
    found: Counter[str] = Counter()
    count = 0
    with ExitStack() as stack:
        file = None
        if out is not None:
            file = stack.enter_context(stack.enter_context(replacing(out)).open("w", encoding="utf-8"))
        for count, row in enumerate(rows.read(), 1):
            summary = summarise(row.row, row.kind)
            how = benchmark.overlap(summary.instance_id, row.row.get("repo"), summary.trajectory.task)
            if how is not None:
                found[how] += 1
                if file is not None:
                    file.write(json.dumps({**row.place._asdict(), "set": row.set, "overlaps": how}) + "\n")
            progress(count, row.done)
    return OverlapCount(rows=count, overlaps={how: found[how] for how in REASONS})
