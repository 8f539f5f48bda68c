"""`sera-swezero verify`: a published set against its manifest and the schemas."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from sera_swezero.cli.options import Json, print_json
from sera_swezero.display.formatting import counted, escaped
from sera_swezero.errors import ConfigError


def verify(
    repo: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The dataset repository.")],
    revision: Annotated[str, typer.Option(metavar="REVISION", help="A branch, tag or commit.")] = "main",
    rows: Annotated[
        int, typer.Option(min=0, metavar="N", help="How many rows of each config to check; 0 means all.")
    ] = 100,
    as_json: Json = False,
) -> None:
    """Check a published set as its readers get it: files, hashes, footers, card and rows.

    The exit code is 1 if anything is wrong.
    """
    from sera_swezero.push.verify import verify as run

    if Path(repo).is_dir():
        msg = f"{repo} is a folder, which `sera-swezero check {repo}` checks; verify takes a published repo, OWNER/NAME"
        raise ConfigError(msg)
    verdict = run(repo, revision=revision, rows=rows)
    if as_json:
        print_json(dataclasses.asdict(verdict))
    else:
        for problem in verdict.problems:
            typer.echo(escaped(problem))
        end = counted(len(verdict.problems), "problem") if verdict.problems else "no problems found"
        typer.echo(f"{repo} at {verdict.commit[:12]}: {verdict.files} files, {verdict.rows:,} rows: {end}")
    if verdict.problems:
        raise typer.Exit(1)
