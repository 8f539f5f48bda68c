"""The command line `sera-swezero`: how it is run, and how it ends. The commands are in `app`, one module each.

An error is one line on standard error and exit code 2. A check that found problems exits with 1, an interrupted command
with 130. `--debug`, anywhere on the line, shows the traceback. Importing this module imports hardly anything else,
because the processes that a build starts also import it, through the installed script.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from sera_swezero.build import environment
from sera_swezero.build.collector import quiet_collector
from sera_swezero.display.formatting import escaped
from sera_swezero.errors import SeraSweZeroError

NAME = "sera-swezero"
DEBUG = "--debug"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line: the entry point `sera-swezero`. The arguments are those of `sys.argv` unless given."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = given[: given.index("--")] if "--" in given else given
    debug = DEBUG in options
    rest = [word for word in options if word != DEBUG] + given[len(options) :]
    environment.prepare()
    with quiet_collector():
        code = _run(rest or ["--help"], debug=debug)
    sys.exit(code)


def _run(arguments: list[str], *, debug: bool) -> int:
    """Run one command and return its exit code."""
    import typer

    try:
        from sera_swezero.plugins import load_installed

        load_installed()  # before the options are made, because they list views
        from sera_swezero.cli.app import app

        # In the library's standalone mode errors of usage would not reach us, so we could not print them on one line.
        code = app(args=arguments, prog_name=NAME, standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", 130)
    except BrokenPipeError:
        # The reader of our output has closed the pipe (`| head`); what is left in the buffer has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if debug:
            raise
        return _fail(_one_line(error), 2)
    # Newer versions of typer return this code after Ctrl-C and print nothing.
    return _fail("interrupted", 130) if code == 130 else code if isinstance(code, int) else 0


def _one_line(error: Exception) -> str:
    """Describe an error on one line. Versions of typer differ in the class of usage errors, but not in its method."""
    if hasattr(error, "format_message"):
        context = getattr(error, "ctx", None)
        text = error.format_message() + (f" (see `{context.command_path} --help`)" if context is not None else "")
    else:
        where = "" if isinstance(error, SeraSweZeroError) else f" ({DEBUG} shows where)"
        said = str(error) or ("there is too little memory" if isinstance(error, MemoryError) else "")
        text = f"{type(error).__name__}: {said}{where}"
    return " ".join(text.split())


def _fail(message: str, code: int) -> int:
    # A message may quote a file or a name that a terminal would act on.
    sys.stderr.write(f"{NAME}: {escaped(message)}\n")
    return code
