"""Start processes quickly: one process imports the program once, and the others are forked from it.

A forked process is a real one, with real sockets, and a test can kill it; what is shared is only the time of the
imports. Each has its own environment: what `huggingface_hub` and `datasets` read from it is read again.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from tests.support.processes import HERE


@cache
def _server() -> BaseContext:
    # Windows cannot fork: there a process imports the program for itself.
    ways = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if "forkserver" in ways else "spawn")
    # pydantic, where it is installed, is what typer imports with the first command.
    own = ("sera_swezero.cli.app", "sera_swezero.push.publish", "sera_swezero.push.verify")
    context.set_forkserver_preload([*own, "pydantic.type_adapter"])
    return context


def fork(run: Callable[..., None], *arguments: Any, env: dict[str, str], cwd: Path = HERE) -> BaseProcess:
    """Start a process that calls a function of a module, in the whole environment `env`."""
    process: BaseProcess = _server().Process(target=_begin, args=(run, arguments, env, cwd))
    process.start()
    return process


def _begin(run: Callable[..., None], arguments: tuple[Any, ...], env: dict[str, str], cwd: Path) -> None:
    import datasets.config
    import huggingface_hub.constants

    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    for module in (huggingface_hub.constants, datasets.config):
        importlib.reload(module)
    run(*arguments)


def program(
    *words: object, env: dict[str, str], cwd: Path = HERE, prepare: Callable[[], None] | None = None
) -> CompletedProcess[str]:
    """Run the command line to its end, as `processes.program` does. The new process calls `prepare` first."""
    given = [*map(str, words)]
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        process = fork(_run_program, given, out, err, prepare, env=env, cwd=cwd)
        process.join()
        assert process.exitcode is not None
        return CompletedProcess(given, process.exitcode, out.read_text(), err.read_text())


def _run_program(words: list[str], out: Path, err: Path, prepare: Callable[[], None] | None) -> None:
    from sera_swezero.cli import main

    for path, stream in ((out, sys.stdout), (err, sys.stderr)):
        with path.open("w") as file:
            os.dup2(file.fileno(), stream.fileno())
    if prepare is not None:
        prepare()
    main(words)
