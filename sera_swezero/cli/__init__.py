"""The command line `sera-swezero`: `app` holds the commands, one module each; here is how it is run and ends.

An error is one line on standard error and exit code 2; a check that found problems exits with 1, an interrupted command
with 130. `--debug`, anywhere on the line, lets the traceback through. Importing this takes nothing along: the processes
that a build starts do so too, by way of the installed script.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from sera_swezero.errors import SeraSweZeroError

NAME = "sera-swezero"
DEBUG = "--debug"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; the entry point `sera-swezero`. Takes `sys.argv` where no arguments are given."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = given[: given.index("--")] if "--" in given else given
    debug = DEBUG in options
    rest = [word for word in options if word != DEBUG] + given[len(options) :]
    sys.exit(_run(rest or ["--help"], debug=debug))


def _run(arguments: list[str], *, debug: bool) -> int:
    """Run one command; gives the exit code."""
    import typer

    from sera_swezero.cli.app import app

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
