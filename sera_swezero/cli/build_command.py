"""`sera-swezero build`: configs become a directory that can be published."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sera_swezero.cli.options import ORDER, ShardSize, config_argument, parse_size, takes_arguments
from sera_swezero.display.formatting import byte_size, number
from sera_swezero.display.outputs import check_outputs, write_file
from sera_swezero.display.table import Table, print_table
from sera_swezero.errors import ConfigError
from sera_swezero.request.arguments import RowArgumentsDict

if TYPE_CHECKING:
    from sera_swezero.build.card_facts import CardFacts
    from sera_swezero.build.manifest import Manifest
    from sera_swezero.cluster.tasks import Cluster


OWN = "Runs of your own"
"""The heading, in the help, of the options that are only for your own runs."""


@takes_arguments(without={*ORDER, "view"})
def build(  # noqa: PLR0913 (options of a command)
    names: Annotated[list[str], config_argument("The configs to build; `sera` stands for each of its sets.")],
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder to build into; finished shards in it are kept.")],
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="The number of processes; one per core if not given.")
    ] = None,
    shard_size: ShardSize = "256MiB",
    views: Annotated[
        list[str] | None, typer.Option("--view", metavar="VIEW", help="Build this view; repeat for several.")
    ] = None,
    max_rows: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most this many rows per config, for a trial.")
    ] = None,
    executor: Annotated[
        str | None, typer.Option(metavar="ENGINE", help="Run on a cluster: datatrove-local, slurm or ray.")
    ] = None,
    tasks: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="The number of tasks on the cluster; one per shard if not given."),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option("--executor-settings", metavar="FILE", help="TOML file with the executor's own settings."),
    ] = None,
    stats: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="On a cluster: count every shard in its task, and write the sums here as JSON."
        ),
    ] = None,
    license_id: Annotated[
        str | None,
        typer.Option("--license", metavar="ID", help="The licence of your runs, such as mit.", rich_help_panel=OWN),
    ] = None,
    pretty_name: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The title of their card.", rich_help_panel=OWN)
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The model that made the runs.", rich_help_panel=OWN)
    ] = None,
    description: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Markdown that the card shows below its title.", rich_help_panel=OWN),
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="TOML file with license, pretty_name, model and description.", rich_help_panel=OWN
        ),
    ] = None,
    redact: Annotated[
        bool, typer.Option("--redact", help="Replace the keys and tokens that are found in them.", rich_help_panel=OWN)
    ] = False,
    arguments: RowArgumentsDict,
) -> None:
    """Convert configs to Parquet files with a manifest and a card. After an interruption the same command goes on."""
    shard_bytes = parse_size(shard_size)
    check_outputs(folder=True, out=out)
    check_outputs(stats=stats)
    said = {"license": license_id, "pretty_name": pretty_name, "model": model, "description": description}
    wanted: dict[str, Any] = {"views": views or (), "shard_bytes": shard_bytes, "redact": redact, **arguments}
    wanted["card"] = _facts(said, card)
    cluster = _cluster(executor, tasks, settings, workers, max_rows, stats)
    before = signal.signal(signal.SIGTERM, _interrupt)
    made: Manifest | None
    try:
        if cluster is None:
            from sera_swezero.build.runner import build as run

            made = run(names, out, max_rows=max_rows, workers=workers, bars=True, **wanted)
        else:
            from sera_swezero.cluster.tasks import build as run_on_cluster

            made = run_on_cluster(names, out, cluster, **wanted)
    except KeyboardInterrupt as interrupt:
        typer.echo("interrupted; the shards that are done stay: run the same command again to go on", err=True)
        raise typer.Exit(128 + (interrupt.args[0] if interrupt.args else signal.SIGINT)) from None
    finally:
        signal.signal(signal.SIGTERM, before)
    if made is None:
        typer.echo("the tasks are submitted; when they are done, run the same command again to finish")
        return
    if stats is not None:
        from sera_swezero.cli.stats_command import figures
        from sera_swezero.quality.sketches import merged

        write_file(stats, json.dumps(figures(merged(made, out)), indent=2, ensure_ascii=False) + "\n")
    _show(made, out)


def _facts(said: dict[str, str | None], file: Path | None) -> CardFacts | None:
    """What the options say for the card; None if none of them is given."""
    if file is None and not any(value is not None for value in said.values()):
        return None
    from sera_swezero.build.card_facts import card_facts

    return card_facts(said, file)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    """Stop as at Ctrl-C: schedulers and cancelled CI jobs send SIGTERM."""
    raise KeyboardInterrupt(number)


def _cluster(
    executor: str | None,
    tasks: int | None,
    settings: Path | None,
    workers: int | None,
    max_rows: int | None,
    stats: Path | None,
) -> Cluster | None:
    """Where the tasks run; None for this machine alone. Raises ConfigError for options that exclude each other."""
    if executor is None:
        if tasks or settings or stats:
            needed = "--tasks, --executor-settings and --stats need --executor"
            msg = f"{needed}; `sera-swezero stats` counts the rows of any build"
            raise ConfigError(msg)
        return None
    if max_rows is not None:
        msg = "--max-rows reads a config's first rows in one piece; it does not work with --executor"
        raise ConfigError(msg)
    from sera_swezero.cluster.step import read_settings
    from sera_swezero.cluster.tasks import Cluster

    given = read_settings(settings, executor) if settings else {}
    own = given | ({"workers": workers} if workers else {})
    return Cluster(executor=executor, tasks=tasks, settings=own, sketch=stats is not None)


def _show(made: Manifest, out: Path) -> None:
    rows = []
    for name, built in made.configs.items():
        report = built.report
        counts = [len(built.shards), report.rows_in, built.rows, report.filtered]
        rejected = ", ".join(f"{count:,} {reason}" for reason, count in sorted(report.rejected.items())) or "none"
        rows.append([name, *map(number, counts), rejected, byte_size(built.bytes)])
    header = ["config", "files", "records in", "rows", "filtered", "rejected", "size"]
    print_table(Table(header=header, rows=rows, text_columns=(0, 5)))
    for name, built in made.configs.items():
        for kind, count in sorted(built.redacted.items()):
            typer.echo(f"{name}: replaced {number(count)} of the kind {kind}")
    typer.echo(f"manifest {made.digest[:12]}; look at {out / 'README.md'}, then: sera-swezero push {out} OWNER/NAME")
