"""`sera-swezero check`: whether every row in some files is what it should be."""

from __future__ import annotations

from typing import Annotated

import typer

from sera_swezero.cli.options import Json, print_json
from sera_swezero.display.formatting import counted, escaped


def check(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH", help="Parquet or JSONL files, folders of them, or URLs."),
    ],
    kind: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="VIEW|SCHEMA", help="Check the rows as this view or schema, whatever they look like."
        ),
    ] = None,
    max_problems: Annotated[
        int, typer.Option(min=0, metavar="N", help="Stop after this many problems; 0 means never.")
    ] = 100,
    as_json: Json = False,
) -> None:
    """Check every row of files and folders, and print a line for each problem.

    The line names the file, the row (from 0) and the JSON path, and says what was found and what was expected. The
    exit code is 0 without problems, 1 with problems, and 2 if a file cannot be read. With --json every line is an
    object, and the last one is a summary.
    """
    from sera_swezero.check import CheckTally, check_paths

    tally = CheckTally()
    count, unreadable, stopped = 0, False, False
    for problem in check_paths(paths, kind=kind, tally=tally):
        if max_problems and count == max_problems:
            stopped = True
            break
        count += 1
        unreadable |= problem.unreadable
        if as_json:
            print_json(problem._asdict(), indent=None)
        else:
            typer.echo(escaped(str(problem)))
    summary = {
        "files": tally.files,
        "rows": dict(tally.rows),
        "rows_with_problems": tally.bad_rows,
        "problems": count,
        "stopped": stopped,
    }
    if as_json:
        print_json({"summary": summary}, indent=None)
    else:
        kinds = ", ".join(f"{rows:,} {name}" for name, rows in tally.rows.items()) or "none"
        problems = counted(count, "problem") if count else "no problems"
        end = f"stopped after {problems} (--max-problems)" if stopped else problems
        typer.echo(f"{counted(tally.files, 'file')}, rows: {kinds}; {end}")
    raise typer.Exit(2 if unreadable else 1 if count else 0)
