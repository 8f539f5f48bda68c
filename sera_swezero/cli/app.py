"""The commands, one module each. Heavy libraries are imported inside the commands, so that help starts at once."""

from __future__ import annotations

import typer

from sera_swezero.cli import (
    DEBUG,
    NAME,
    build_command,
    check_command,
    configs_command,
    decontaminate_command,
    dedup_command,
    lock_command,
    plan_command,
    push_command,
    render_command,
    show_command,
    stats_command,
    verify_command,
)
from sera_swezero.version import __version__

app = typer.Typer(
    name=NAME,
    help="Agent trajectories of SERA and SWE-ZERO, rectified and validated.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    debug: bool = typer.Option(False, DEBUG, help="Show the traceback of an error (anywhere on the line)."),
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Show the version."),
) -> None:
    del debug, version


for _command in (
    configs_command.configs,
    show_command.show,
    render_command.render,
    check_command.check,
    lock_command.lock,
    plan_command.plan,
    build_command.build,
    push_command.push,
    verify_command.verify,
    stats_command.stats,
    dedup_command.dedup,
    decontaminate_command.decontaminate,
):
    app.command()(_command)
