"""`sera-swezero lock`: write down the upstream commits of now, so that every later run reads the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from sera_swezero.cli.options import Json
from sera_swezero.errors import ConfigError


def lock(
    names: Annotated[list[str] | None, typer.Argument(metavar="[CONFIG]...", help="Configs; all without any.")] = None,
    out: Annotated[Path, typer.Option("--out", help="The lock file to write.")] = Path("sera-swezero.lock"),
    as_json: Json = False,
) -> None:
    """Resolve upstream to commits and write {"repos": {repo: commit}}; `revision=` takes the file.

    A lock file that is there already keeps its other repos.
    """
    from sera_swezero.catalog import CONFIGS, Origin
    from sera_swezero.request.settle import settle
    from sera_swezero.upstream import take_snapshot
    from sera_swezero.upstream.snapshot import read_lock

    origins: dict[str, Origin] = {origin.repo: origin for name in names or CONFIGS for origin in settle(name).origins}
    before = read_lock(str(out)) if out.is_file() else {}
    commits = dict(take_snapshot(list(origins.values())).commits)
    repos = dict(sorted({**before, **commits}.items()))
    text = json.dumps({"repos": repos}, indent=2) + "\n"
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        msg = f"{out} cannot be written: {error.strerror}"
        raise ConfigError(msg) from error
    if as_json:
        typer.echo(json.dumps({"file": str(out), "repos": commits}))
        return
    for repo, commit in commits.items():
        mark = "" if before.get(repo) == commit else "  (new)" if repo not in before else f"  (was {before[repo][:12]})"
        typer.echo(f"{commit}  {repo}{mark}")
    typer.echo(f"{out}: {len(repos)} repo(s); load with revision={str(out)!r}")
