"""`sera-swezero verify`: a published set against its manifest and the schemas."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer

from sera_swezero.cli.options import Json


def verify(
    repo: Annotated[str, typer.Argument(metavar="REPO_ID", help="The dataset repo, OWNER/NAME.")],
    revision: Annotated[str, typer.Option("--revision", help="A branch, tag or commit.")] = "main",
    rows: Annotated[int, typer.Option("--rows", min=0, help="Rows of every config to check; 0 for all.")] = 100,
    as_json: Json = False,
) -> None:
    """Check a published set from outside: files, hashes, footers, card, rows. Exit code 1 if anything is wrong."""
    from sera_swezero.push.verify import verify as run

    verdict = run(repo, revision=revision, rows=rows)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(verdict), indent=2))
    else:
        for problem in verdict.problems:
            typer.echo(problem)
        told = f"{len(verdict.problems)} problems" if verdict.problems else "all as it should be"
        typer.echo(f"{repo} at {verdict.commit[:12]}: {verdict.files} files, {verdict.rows:,} rows: {told}")
    if verdict.problems:
        raise typer.Exit(1)
