"""`sera-swezero plan`: what a build will take, before it is started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sera_swezero.cli.options import ORDER, Json, ShardSize, config_argument, parse_size, print_json, takes_arguments
from sera_swezero.display.formatting import byte_size, number
from sera_swezero.display.table import Table, print_table
from sera_swezero.request.arguments import RowArgumentsDict

if TYPE_CHECKING:
    from sera_swezero.build.estimate import Estimate


@takes_arguments(without={*ORDER, "view"})
def plan(
    names: Annotated[list[str], config_argument("The configs that would be built.")],
    *,
    shard_size: ShardSize = "256MiB",
    views: Annotated[
        list[str] | None, typer.Option("--view", metavar="VIEW", help="Plan for this view; repeat for several.")
    ] = None,
    tasks: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="The number of tasks of each config; one per shard if not given."),
    ] = None,
    samples: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many shards of each config to build and throw away.")
    ] = 3,
    as_json: Json = False,
    arguments: RowArgumentsDict,
) -> None:
    """Estimate the rows, size, core-hours and memory of a build from a few sampled shards."""
    from sera_swezero.build.estimate import estimate

    estimates = estimate(
        names,
        views=views or (),
        shard_bytes=parse_size(shard_size),
        tasks=tasks,
        samples=samples,
        **arguments,
    )
    if as_json:
        print_json([one._asdict() for one in estimates])
    else:
        _show(estimates)


def _show(estimates: list[Estimate]) -> None:
    rows = [
        [
            one.config,
            number(one.files),
            byte_size(one.bytes),
            number(one.shards),
            number(one.sampled_shards),
            number(one.rows),
            byte_size(one.out_bytes),
            f"{one.core_hours:.4g}",
            byte_size(one.memory_bytes),
        ]
        for one in estimates
    ]
    header = ["config", "files", "raw", "shards", "sampled", "rows", "output", "core-hours", "memory per task"]
    print_table(Table(header=header, rows=rows))
    for one in estimates:
        if one.problem:
            typer.echo(f"cannot be published like this: {one.problem}")
