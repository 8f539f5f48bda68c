"""`sera-swezero show`: one row of a config as a person reads it."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from sera_swezero.cli.options import ConfigName, Json, print_json, takes_arguments
from sera_swezero.errors import ConfigError
from sera_swezero.request.arguments import ArgumentsDict


@takes_arguments()
def show(
    config: ConfigName,
    row: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="The row with this number, counted from 0.")
    ] = None,
    instance: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="The first row with this instance_id.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Show long texts in full.")] = False,
    as_json: Json = False,
    *,
    arguments: ArgumentsDict,
) -> None:
    """Show one trajectory: its columns, then every message. Long observations are folded."""
    from sera_swezero.request.settle import settle
    from sera_swezero.rows import find_row

    if row is not None and instance is not None:
        msg = "--row and --id exclude each other; give one of them"
        raise ConfigError(msg)
    # If the row is not found, the error names the rejected records; a warning would only repeat them.
    logging.getLogger("sera_swezero").setLevel(logging.ERROR)
    request = settle(config, **arguments)
    found = find_row(request, row or 0, instance)
    if as_json:
        print_json(found, indent=None)
        return
    from rich.console import Console

    from sera_swezero.cli.row_printer import render

    render(found, request.view, Console(highlight=False), full=full)
