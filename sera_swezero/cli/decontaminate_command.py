"""`sera-swezero decontaminate`: which rows overlap a benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sera_swezero.cli.options import Incomplete, Json, Revision, Upstream
from sera_swezero.cli.stats_command import Against, Target


def decontaminate(
    target: Target,
    against: Against = "swe-bench-verified",
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the rows found (JSONL): where they stand, and why.")
    ] = None,
    as_json: Json = False,
    upstream: Upstream = None,
    revision: Revision = None,
    incomplete: Incomplete = None,
) -> None:
    """Find the rows whose repository, instance or problem text overlaps a benchmark, counted by reason.

    decontaminate=FILE, or decontaminate="swe-bench-verified", leaves the same rows out when a config is loaded.
    """
    import json
    from collections import Counter
    from contextlib import ExitStack

    from sera_swezero.cli.stats_command import progress_bar
    from sera_swezero.quality.row_source import open_rows
    from sera_swezero.quality.row_summary import look
    from sera_swezero.request import benchmark_overlap as overlaps
    from sera_swezero.request.filters import benchmark_path

    benchmark = overlaps.load(benchmark_path(against))
    rows = open_rows(target, upstream=upstream, revision=revision, incomplete=incomplete)
    found: Counter[str] = Counter()
    count = 0
    with ExitStack() as stack:
        told = stack.enter_context(progress_bar(rows.name))
        written = stack.enter_context(out.open("w", encoding="utf-8")) if out is not None else None
        for count, row in enumerate(rows.read(), 1):
            looked = look(row.row, row.shape)
            how = benchmark.overlap(looked.instance_id, row.row.get("repo"), looked.trajectory.task)
            if how is not None:
                found[how] += 1
                if written is not None:
                    written.write(json.dumps({**row.place._asdict(), "set": row.set, "overlaps": how}) + "\n")
            told(count, row.done)
    counts = {how: found[how] for how in overlaps.REASONS}
    if as_json:
        typer.echo(json.dumps({"rows": count, "overlaps": counts}))
        return
    typer.echo(
        f"{count:,} rows, {found.total():,} overlap: " + ", ".join(f"{n:,} by {how}" for how, n in counts.items())
    )
