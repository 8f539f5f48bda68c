"""`sera-swezero lock`: write down the current upstream commits, so that every later run reads the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sera_swezero.cli.options import Json, config_argument, print_json, takes_arguments
from sera_swezero.display.formatting import counted
from sera_swezero.display.outputs import check_outputs
from sera_swezero.request.arguments import ArgumentsDict


@takes_arguments(only=("upstream",))
def lock(
    names: Annotated[
        list[str] | None, config_argument("The configs to lock; without any, all that are on the hub.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The lock file to write.")] = Path("sera-swezero.lock"),
    as_json: Json = False,
    *,
    arguments: ArgumentsDict,
) -> None:
    """Write down the commits that upstream has now, in a file that --revision takes.

    An existing lock file keeps its other repositories.
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
    typer.echo(f"{out}: {counted(len(update.after), 'repo')}; load with revision={str(out)!r}")
