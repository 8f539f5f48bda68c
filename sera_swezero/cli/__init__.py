"""The command line `sera-swezero`: one module a command, registered here. Heavy imports stay inside the commands.

An error of ours is one line on standard error and exit code 2; a check that found problems exits with 1; `--debug` lets
the traceback through.
"""

from __future__ import annotations

import sys

import typer

from sera_swezero.cli import configs
from sera_swezero.errors import SeraSweZeroError
from sera_swezero.version import __version__

app = typer.Typer(
    name="sera-swezero",
    help="Agent trajectories of SERA and SWE-ZERO, rectified and validated.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    del debug, version


app.command("configs")(configs.configs)


def main() -> None:
    """Run the command line; the entry point `sera-swezero`."""
    try:
        app()
    except SeraSweZeroError as error:
        if "--debug" in sys.argv:
            raise
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(2)
