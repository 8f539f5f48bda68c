"""The command line `sera-swezero`: one module a command, registered here. Heavy imports stay inside the commands.

An error is one line on standard error and exit code 2; a check that found problems exits with 1, an interrupted command
with 130. `--debug`, anywhere on the line, lets the traceback through.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from sera_swezero.cli import (
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
from sera_swezero.errors import SeraSweZeroError
from sera_swezero.version import __version__

NAME = "sera-swezero"
DEBUG = "--debug"

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


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; the entry point `sera-swezero`. Takes `sys.argv` where no arguments are given."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = given[: given.index("--")] if "--" in given else given
    debug = DEBUG in options
    rest = [word for word in options if word != DEBUG] + given[len(options) :]
    sys.exit(_run(rest or ["--help"], debug=debug))


def _run(arguments: list[str], *, debug: bool) -> int:
    """Run one command; gives the exit code."""
    try:
        # Without the library's own mode every error of usage arrives here, to be told in one line like the others.
        code = app(args=arguments, prog_name=NAME, standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", 130)
    except BrokenPipeError:
        # The reader of our output has seen enough (`| head`); what is left in the buffer has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if debug:
            raise
        return _fail(_told(error), 2)
    # Newer typers answer Ctrl-C with this code and no word.
    return _fail("interrupted", 130) if code == 130 else code if isinstance(code, int) else 0


def _told(error: Exception) -> str:
    """An error in one line. Errors of usage have another class in every generation of typer, but the same method."""
    if hasattr(error, "format_message"):
        message = error.format_message()
        context = getattr(error, "ctx", None)
        told = f"{message} (see `{context.command_path} --help`)" if context is not None else message
    elif isinstance(error, SeraSweZeroError):
        told = f"{type(error).__name__}: {error}"
    else:
        told = f"{type(error).__name__}: {error} ({DEBUG} shows where)"
    return " ".join(told.split())


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"{NAME}: {message}\n")
    return code
