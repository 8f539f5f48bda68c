"""The commands: one module each, registered here. Heavy imports stay inside the commands."""

from __future__ import annotations

import typer

from sera_swezero.cli import (
    DEBUG,
    NAME,
    build,
    check,
    configs,
    decontaminate,
    dedup,
    lock,
    plan,
    push,
    rendering,
    show,
    stats,
    verify,
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


app.command("configs")(configs.configs)
app.command("show")(show.show)
app.command("render")(rendering.render)
app.command("check")(check.check)
app.command("lock")(lock.lock)
app.command("plan")(plan.plan)
app.command("build")(build.build)
app.command("push")(push.push)
app.command("verify")(verify.verify)
app.command("stats")(stats.stats)
app.command("dedup")(dedup.dedup)
app.command("decontaminate")(decontaminate.decontaminate)
