"""`sera-swezero dedup`: which rows have no near-duplicate before them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sera_swezero.cli.options import Incomplete, Json, Revision, Upstream
from sera_swezero.cli.stats_command import Target


class Within(StrEnum):
    """What rows are compared with."""

    corpus = "corpus"
    instance = "instance"


def dedup(
    target: Target,
    out: Annotated[Path, typer.Option("--out", help="File for the kept rows (Parquet), which dedup=PATH takes.")],
    within: Annotated[
        Within, typer.Option(help="Compare with all rows before, or with those of the same instance.")
    ] = (Within.corpus),
    as_json: Json = False,
    upstream: Upstream = None,
    revision: Revision = None,
    incomplete: Incomplete = None,
) -> None:
    """Write which rows are kept: the first of each group of near-duplicates, and all that have none.

    Near-duplicates are the SWE-ZERO card's: MinHash Jaccard of at least 0.5 over the character 5-grams of the commands.
    """
    from sera_swezero.cli.stats_command import progress_bar
    from sera_swezero.quality.row_source import open_rows
    from sera_swezero.quality.write_kept_rows import write_kept

    rows = open_rows(target, upstream=upstream, revision=revision, incomplete=incomplete)
    with progress_bar(rows.name) as told:
        done = write_kept(rows, out, within=within.value, progress=told)
    if as_json:
        import json

        typer.echo(json.dumps({"rows": done.rows, "kept": done.kept, "within": within.value, "out": str(out)}))
        return
    share = f" ({done.kept / done.rows:.1%})" if done.rows else ""
    typer.echo(f"{done.rows:,} rows, {done.kept:,} kept{share}; {out} goes with dedup=")
