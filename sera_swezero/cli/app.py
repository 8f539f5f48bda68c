"""The commands, one module each. Heavy libraries are imported inside the commands, so that help starts at once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

import typer

from sera_swezero.cli import (
    DEBUG,
    NAME,
    build_command,
    check_command,
    configs_command,
    decontaminate_command,
    dedup_command,
    export_command,
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
    help="Turn recorded runs of coding agents (SERA, SWE-ZERO, your own) into checked rows for training.",
    no_args_is_help=True,
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


COMMANDS: dict[Callable[..., None], str] = {
    configs_command.configs: "configs --json",
    show_command.show: "show sera --row 120",
    render_command.render: "render sera-openai --template qwen3_training --serve qwen3",
    export_command.export: "export sera --format pi --out sessions --rows 20",
    check_command.check: "check out/ rows.jsonl",
    lock_command.lock: "lock sera",
    plan_command.plan: "plan swe-zero-12m --samples 5",
    build_command.build: "build sera swe-zero-1k-32k --out out",
    push_command.push: "push out OWNER/NAME --tag v1",
    verify_command.verify: "verify OWNER/NAME --revision v1",
    stats_command.stats: "stats swe-zero-1k-8k --versus swe-zero-1k-32k --html page.html",
    dedup_command.dedup: "dedup swe-zero-12m --out kept.parquet",
    decontaminate_command.decontaminate: "decontaminate sera --out found.jsonl",
}
"""Every command, with an example for its help."""

for _command, _example in COMMANDS.items():
    # The line breaks of the source would otherwise stay in the help, besides those that the terminal needs.
    _help = re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.getdoc(_command) or "")
    app.command(help=_help, epilog=f"Example: {NAME} {_example}")(_command)
