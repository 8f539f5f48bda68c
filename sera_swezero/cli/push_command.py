"""`sera-swezero push`: publish a built directory on the hub, all of it or nothing."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import typer

from sera_swezero.cli.options import Json, print_json
from sera_swezero.display.formatting import byte_size


def push(  # noqa: PLR0913 (options of a command)
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that `sera-swezero build` made.")],
    repo: Annotated[
        str, typer.Argument(metavar="OWNER/NAME", help="The dataset repository; it is created if need be.")
    ],
    *,
    private: Annotated[bool, typer.Option("--private", help="Make the repository private when it is created.")] = False,
    tag: Annotated[str | None, typer.Option(metavar="TAG", help="Give the new version this tag.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    pr_only: Annotated[
        bool, typer.Option("--pr-only", help="Leave the checked pull request open, for somebody to merge.")
    ] = False,
    allow_sample: Annotated[
        bool, typer.Option("--allow-sample", help="Publish the rows even if they are those of the made-up sample.")
    ] = False,
    allow_secrets: Annotated[
        bool, typer.Option("--allow-secrets", help="Publish your own runs without a search for keys and tokens.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Publish a built folder: readers see the old version or the new one. After a failure the same command goes on."""
    from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

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
