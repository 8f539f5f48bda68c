"""`sera-swezero decontaminate`: which rows overlap a benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sera_swezero.cli.options import ORDER, Json, print_json, takes_arguments
from sera_swezero.cli.stats_command import Against, Target
from sera_swezero.display.outputs import check_outputs
from sera_swezero.display.progress import row_progress
from sera_swezero.request.arguments import ArgumentsDict


@takes_arguments(without=ORDER)
def decontaminate(
    target: Target,
    against: Against = "swe-bench-verified",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write to this JSONL file where each row is, and why it overlaps."),
    ] = None,
    as_json: Json = False,
    *,
    arguments: ArgumentsDict,
) -> None:
    """Find the rows whose repository, instance or problem text overlaps a benchmark, and count them by reason.

    The option --decontaminate of other commands, and the argument decontaminate=, leave the same rows out.
    """
    from sera_swezero.quality.benchmark_scan import scan_overlaps
    from sera_swezero.quality.row_source import open_rows
    from sera_swezero.request.benchmark_overlap import load

    check_outputs(out=out)
    benchmark = load(against)
    rows = open_rows(target, **arguments)
    with row_progress(rows.name) as on_progress:
        found = scan_overlaps(rows, benchmark, out, on_progress)
    if as_json:
        print_json(found._asdict(), indent=None)
        return
    by_reason = ", ".join(f"{count:,} by {how}" for how, count in found.overlaps.items())
    typer.echo(f"{found.rows:,} rows, {sum(found.overlaps.values()):,} overlap: {by_reason}")
