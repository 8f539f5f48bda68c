"""`sera-swezero dedup`: which rows come after no near-duplicate of their own."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sera_swezero.cli.options import ORDER, Json, print_json, takes_arguments
from sera_swezero.cli.stats_command import Target
from sera_swezero.display.outputs import check_outputs
from sera_swezero.display.progress import row_progress
from sera_swezero.request.arguments import ArgumentsDict


class Within(StrEnum):
    """What rows are compared with."""

    corpus = "corpus"
    instance = "instance"


@takes_arguments(without=ORDER)
def dedup(
    target: Target,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The Parquet file to write, which --dedup takes.")],
    within: Annotated[
        Within, typer.Option(help="Compare each row with all rows before it, or with those of its instance.")
    ] = Within.corpus,
    as_json: Json = False,
    *,
    arguments: ArgumentsDict,
) -> None:
    """Find near-duplicates, and write the list of the rows to keep: the first of each group, and all that have none.

    Two rows are near-duplicates if the character 5-grams of their commands have a MinHash similarity of at least 0.5,
    as on the SWE-ZERO card.
    """
    from sera_swezero.quality.row_source import open_rows
    from sera_swezero.quality.write_kept_rows import write_kept

    check_outputs(out=out)
    rows = open_rows(target, **arguments)
    with row_progress(rows.name) as on_progress:
        done = write_kept(rows, out, within=within.value, progress=on_progress)
    if as_json:
        print_json({"rows": done.rows, "kept": done.kept, "within": within.value, "out": str(out)}, indent=None)
        return
    share = f" ({done.kept / done.rows:.1%})" if done.rows else ""
    typer.echo(f"{done.rows:,} rows, {done.kept:,} kept{share}; load them with dedup={str(out)!r}")
