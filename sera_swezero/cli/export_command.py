"""`sera-swezero export`: rows as files for other tools, one trajectory each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sera_swezero.cli.options import ConfigName, Json, print_json, takes_arguments
from sera_swezero.request.arguments import ArgumentsDict

OF_OTHER_VIEWS = (
    "submit",
    "max_tokens",
    "tokenizer",
    "chat_template",
    "overlong",
    "min_kept_share",
    "context",
    "history",
)


@takes_arguments(without=("view", "lineage", *OF_OTHER_VIEWS))
def export(
    config: ConfigName,
    out: Annotated[Path, typer.Option(metavar="DIR", help="A new or empty folder for the files.")],
    kind: Annotated[
        str, typer.Option("--format", metavar="atif|pi", help="ATIF-v1.7, or Pi's session format.")
    ] = "atif",
    rows: Annotated[int | None, typer.Option(min=1, metavar="N", help="Write the first N rows only.")] = None,
    as_json: Json = False,
    *,
    arguments: ArgumentsDict,
) -> None:
    """Write one file per trajectory: ATIF for other tools, or sessions of Pi for the hub's trace viewer."""
    from sera_swezero.export.trajectory_files import export as write_files

    done = write_files(config, out, kind, rows, **arguments)
    if as_json:
        print_json({"files": done.files, "rejected": dict(done.report.rejected)}, indent=None)
        return
    typer.echo(f"{out}: {done.files:,} files; {done.report}")
