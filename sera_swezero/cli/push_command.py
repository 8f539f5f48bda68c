"""`sera-swezero push`: a built directory to the hub, all of it or nothing."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import typer

from sera_swezero.cli.options import Json, print_json


def push(  # noqa: PLR0913 (options of a command)
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `sera-swezero build` made.")],
    repo: Annotated[str, typer.Argument(metavar="REPO_ID", help="The dataset repo, OWNER/NAME; created if need be.")],
    *,
    private: Annotated[bool, typer.Option("--private", help="Create the repo private.")] = False,
    tag: Annotated[str | None, typer.Option("--tag", help="Tag the new version.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    pr_only: Annotated[bool, typer.Option("--pr-only", help="Leave the checked pull request to be merged.")] = False,
    allow_sample: Annotated[
        bool, typer.Option("--allow-sample", help="Publish a build of the made-up sample, too.")
    ] = False,
    allow_secrets: Annotated[
        bool, typer.Option("--allow-secrets", help="Publish runs of your own with keys and tokens in them, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Publish a built directory: readers see the old version or the new one. Run it again after a failure."""
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

    from sera_swezero.display.formatting import byte_size
    from sera_swezero.push.publish import push as run

    if not sys.stderr.isatty():
        disable_progress_bars()
    outcome = run(
        folder,
        repo,
        private=private,
        tag=tag,
        dry_run=dry_run,
        pr_only=pr_only,
        allow_sample=allow_sample,
        allow_secrets=allow_secrets,
        on_step=lambda text: typer.echo(text, err=True),
    )
    if as_json:
        print_json(dataclasses.asdict(outcome))
        return
    for path, count in outcome.sent.items():
        typer.echo(f"{'would send' if dry_run else 'sent'} {path} ({byte_size(count)})")
    for path in outcome.deleted:
        typer.echo(f"{'would delete' if dry_run else 'deleted'} {path}")
    at = f" at {outcome.commit[:12]}" if outcome.commit else ""
    pull = f" in pull request {outcome.pull}" if outcome.pull else ""
    typer.echo(f"{repo}: {outcome.done}{at}{pull}, manifest {outcome.digest[:12]}")
