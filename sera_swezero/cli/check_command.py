"""`sera-swezero check`: is every row in these files what it should be?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sera_swezero.cli.options import Json


def check(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Parquet or JSONL files, or folders of them.", show_default=False),
    ],
    kind: Annotated[
        str | None,
        typer.Option("--as", help="Hold the rows to this view or row schema instead of what they look like."),
    ] = None,
    max_problems: Annotated[int, typer.Option("--max-problems", min=0, help="Stop after so many; 0: never.")] = 100,
    as_json: Json = False,
) -> None:
    """Check every row of files or folders; tell each problem with file, row (from 0), JSON path and remedy.

    Exit code 0: no problem. 1: problems. 2: a file cannot be read. With --json: an object a line, the last one sums up.
    """
    from sera_swezero.check import Tally, check_paths

    tally = Tally()
    told, unreadable, stopped = 0, False, False
    for problem in check_paths(paths, kind=kind, tally=tally):
        if max_problems and told == max_problems:
            stopped = True
            break
        told += 1
        unreadable |= problem.unreadable
        typer.echo(json.dumps(problem._asdict()) if as_json else ascii_safe(str(problem)))
    summary = {
        "files": tally.files,
        "rows": dict(tally.rows),
        "rows_with_problems": tally.bad_rows,
        "problems": told,
        "stopped": stopped,
    }
    if as_json:
        typer.echo(json.dumps({"summary": summary}))
    else:
        kinds = ", ".join(f"{count:,} {name}" for name, count in tally.rows.items()) or "none"
        end = f"stopped after {told} problems (--max-problems)" if stopped else f"{told or 'no'} problem(s)"
        typer.echo(f"{tally.files} file(s), rows: {kinds}; {end}")
    raise typer.Exit(2 if unreadable else 1 if told else 0)


def ascii_safe(text: str) -> str:
    """The text on one line, without what a terminal would act on."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
