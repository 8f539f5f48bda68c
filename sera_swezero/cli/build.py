"""`sera-swezero build`: configs to a directory that can be published."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sera_swezero.cli.arguments import Incomplete, MinRecall, Revision, Upstream
from sera_swezero.errors import ConfigError

if TYPE_CHECKING:
    from sera_swezero.build.manifest import Manifest

_UNITS = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3, "KI": 1024, "MI": 1024**2, "GI": 1024**3}


def build(  # noqa: PLR0913, PLR0917 (options of a command)
    names: Annotated[list[str], typer.Argument(metavar="CONFIG...", help="What to build; sera builds its four sets.")],
    out: Annotated[Path, typer.Option("--out", help="Directory to build into; finished shards in it are kept.")],
    upstream: Upstream = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one per core if not given.")] = None,
    shard_size: Annotated[str, typer.Option(help="Raw bytes of a shard: 256MiB, 100MB, 5000.")] = "256MiB",
    views: Annotated[list[str] | None, typer.Option("--view", help="Build this view; repeat for several.")] = None,
    revision: Revision = None,
    incomplete: Incomplete = None,
    min_recall: MinRecall = None,
    max_rows: Annotated[int | None, typer.Option(min=1, help="At most so many rows a config, for a trial.")] = None,
) -> None:
    """Convert configs to Parquet shards, a manifest and a card. Run it again to go on after an interrupt."""
    size = parse_size(shard_size)
    from sera_swezero.build.runner import build as run

    try:
        made = run(
            names,
            out,
            views=views or (),
            upstream=upstream,
            revision=revision,
            incomplete=incomplete,
            min_recall=min_recall,
            max_rows=max_rows,
            shard_bytes=size,
            workers=workers,
            bars=True,
        )
    except KeyboardInterrupt:
        typer.echo("interrupted; the shards that are done stay: run the same command again to go on", err=True)
        raise typer.Exit(130) from None
    _show(made, out)


def parse_size(text: str) -> int:
    """Bytes of a size such as 256MiB, 100MB or 5000. Raises ConfigError."""
    found = re.fullmatch(r"\s*(\d+)\s*([KMG]I?)?B?\s*", text.upper())
    if found is None or not int(found[1]):
        msg = f"shard size {text!r}; a positive number of bytes was expected, such as 256MiB, 100MB or 5000"
        raise ConfigError(msg)
    return int(found[1]) * _UNITS[found[2] or ""]


def _show(made: Manifest, out: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    from sera_swezero.builder import size

    table = Table("config", "files", "records in", "rows", "filtered", "rejected", "size", box=None)
    for column in table.columns[1:5]:
        column.justify = "right"
    for name, built in made.configs.items():
        counts = built.counts
        rejected = ", ".join(f"{count:,} {reason}" for reason, count in counts.rejected.items()) or "none"
        numbers = [len(built.shards), counts.rows_in, built.rows, counts.filtered]
        table.add_row(name, *(f"{number:,}" for number in numbers), rejected, size(built.bytes))
    Console().print(table)
    typer.echo(f"manifest {made.digest[:12]}; look at {out / 'README.md'}, then: sera-swezero push {out} OWNER/NAME")
