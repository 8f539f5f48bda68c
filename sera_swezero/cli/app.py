"""The commands: one module each, registered here. Heavy imports stay inside the commands."""

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


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    debug: bool = typer.Option(False, DEBUG, help="Show the traceback of an error (anywhere on the line)."),
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    del debug, version


app.command("configs")(configs_command.configs)
app.command("show")(show_command.show)
app.command("render")(render_command.render)
app.command("check")(check_command.check)
app.command("lock")(lock_command.lock)
app.command("plan")(plan_command.plan)
app.command("build")(build_command.build)
app.command("push")(push_command.push)
app.command("verify")(verify_command.verify)
app.command("stats")(stats_command.stats)
app.command("dedup")(dedup_command.dedup)
app.command("decontaminate")(decontaminate_command.decontaminate)
