"""`sera-swezero lock`: write down the upstream commits of now, so that every later run reads the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sera_swezero.cli.options import Json, complete_config, print_json, takes_arguments
from sera_swezero.display.outputs import check_outputs
from sera_swezero.request.arguments import ArgumentsDict


@takes_arguments(only=("upstream",))
def lock(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="CONFIG", help="Configs; all of the hub without any.", autocompletion=complete_config),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="The lock file to write.")] = Path("sera-swezero.lock"),
    as_json: Json = False,
    *,
    arguments: ArgumentsDict,
) -> None:
    """Resolve upstream to commits and write {"repos": {repo: commit}}; `revision=` takes the file.

    A lock file that is there already keeps its other repos.
    """
    from sera_swezero.request.lock_file import update_lock

    check_outputs(out=out)
    update = update_lock(out, names or (), arguments.get("upstream"))
    if as_json:
        print_json({"file": str(out), "repos": update.resolved}, indent=None)
        return
    for repo, commit in update.resolved.items():
        old = update.before.get(repo)
        mark = "" if old == commit else f"  (was {old[:12]})" if old else "  (new)"
        typer.echo(f"{commit}  {repo}{mark}")
    typer.echo(f"{out}: {len(update.after)} repo(s); load with revision={str(out)!r}")
