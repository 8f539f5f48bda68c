"""`sera-swezero plan`: what a build will take, before it is started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sera_swezero.cli.options import Json, ShardSize, parse_size, print_json, takes_arguments

if TYPE_CHECKING:
    from sera_swezero.cluster.estimate import Estimate


@takes_arguments(only=("upstream", "revision", "incomplete", "min_recall"))
def plan(
    names: Annotated[list[str], typer.Argument(metavar="CONFIG...", help="What would be built.")],
    *,
    shard_size: ShardSize = "256MiB",
    views: Annotated[list[str] | None, typer.Option("--view", help="In this view; repeat for several.")] = None,
    tasks: Annotated[int | None, typer.Option(min=1, help="Tasks of each config; one per shard if not given.")] = None,
    samples: Annotated[int, typer.Option(min=1, help="Shards of each config to build and throw away.")] = 3,
    as_json: Json = False,
    arguments: dict[str, Any],
) -> None:
    """Estimate rows, output size, core-hours and memory from a few sampled shards; count files, shards and bytes."""
    from sera_swezero.cluster.estimate import estimate

    estimates = estimate(
        names,
        views=views or (),
        shard_bytes=parse_size(shard_size),
        tasks=tasks,
        samples=samples,
        **arguments,
    )
    if as_json:
        print_json([_plain(one) for one in estimates])
    else:
        _show(estimates)


def _plain(estimate: Estimate) -> dict[str, Any]:
    return {
        "config": estimate.config,
        "files": estimate.files,
        "bytes": estimate.bytes,
        "shards": estimate.shards,
        "tasks": estimate.tasks,
        "sampled_shards": len(estimate.took),
        "sampled_bytes": sum(one.raw for one in estimate.took),
        "rows": estimate.rows,
        "out_bytes": estimate.out_bytes,
        "core_hours": estimate.core_seconds / 3600,
        "memory_bytes": estimate.memory,
        "problem": _problem(estimate),
    }


def _problem(estimate: Estimate) -> str:
    from sera_swezero.cluster.limits import problem

    return problem(estimate.config, estimate.shards, estimate.files, estimate.bytes)


def _show(estimates: list[Estimate]) -> None:
    from rich.console import Console
    from rich.table import Table

    from sera_swezero.loading.builder import size

    heads = ["config", "files", "raw", "shards", "sampled", "rows", "output", "core-hours", "memory a task"]
    table = Table(*heads, box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for estimate in estimates:
        numbers = [
            f"{estimate.files:,}",
            size(estimate.bytes),
            f"{estimate.shards:,}",
            f"{len(estimate.took)}",
            f"{estimate.rows:,}",
        ]
        hours = f"{estimate.core_seconds / 3600:.4g}"
        table.add_row(estimate.config, *numbers, size(estimate.out_bytes), hours, size(estimate.memory))
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)
    for estimate in estimates:
        if problem := _problem(estimate):
            typer.echo(f"cannot be published so: {problem}")
