"""`sera-swezero plan`: what a build will take, before it is started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sera_swezero.cli.build_command import parse_size
from sera_swezero.cli.options import Incomplete, Json, MinRecall, Revision, Upstream

if TYPE_CHECKING:
    from sera_swezero.cluster.estimate import Estimate


def plan(  # noqa: PLR0913, PLR0917 (options of a command)
    names: Annotated[list[str], typer.Argument(metavar="CONFIG...", help="What would be built.")],
    upstream: Upstream = None,
    shard_size: Annotated[str, typer.Option(help="Raw bytes of a shard: 256MiB, 100MB, 5000.")] = "256MiB",
    views: Annotated[list[str] | None, typer.Option("--view", help="In this view; repeat for several.")] = None,
    tasks: Annotated[int | None, typer.Option(min=1, help="Tasks of each config; one a shard if not given.")] = None,
    samples: Annotated[int, typer.Option(min=1, help="Shards of each config to build and throw away.")] = 3,
    revision: Revision = None,
    incomplete: Incomplete = None,
    min_recall: MinRecall = None,
    as_json: Json = False,
) -> None:
    """Tell files, shards and bytes, and from a sample of real shards rows, output size, core-hours and memory."""
    from sera_swezero.cluster.estimate import estimate

    told = estimate(
        names,
        views=views or (),
        shard_bytes=parse_size(shard_size),
        tasks=tasks,
        samples=samples,
        upstream=upstream,
        revision=revision,
        incomplete=incomplete,
        min_recall=min_recall,
    )
    if as_json:
        import json

        typer.echo(json.dumps([_plain(one) for one in told], indent=2))
        return
    _show(told)


def _plain(told: Estimate) -> dict[str, Any]:
    return {
        "config": told.config,
        "files": told.files,
        "bytes": told.bytes,
        "shards": told.shards,
        "tasks": told.tasks,
        "sampled_shards": len(told.took),
        "sampled_bytes": sum(one.raw for one in told.took),
        "rows": told.rows,
        "out_bytes": told.out_bytes,
        "core_hours": told.core_seconds / 3600,
        "memory_bytes": told.memory,
        "problem": _problem(told),
    }


def _problem(told: Estimate) -> str:
    from sera_swezero.cluster.limits import problem

    return problem(told.config, told.shards, told.files, told.bytes)


def _show(estimates: list[Estimate]) -> None:
    from rich.console import Console
    from rich.table import Table

    from sera_swezero.loading.builder import size

    heads = ["config", "files", "raw", "shards", "sampled", "rows", "output", "core-hours", "memory a task"]
    table = Table(*heads, box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for told in estimates:
        numbers = [f"{told.files:,}", size(told.bytes), f"{told.shards:,}", f"{len(told.took)}", f"{told.rows:,}"]
        hours = f"{told.core_seconds / 3600:.4g}"
        table.add_row(told.config, *numbers, size(told.out_bytes), hours, size(told.memory))
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)
    for told in estimates:
        if problem := _problem(told):
            typer.echo(f"cannot be published so: {problem}")
