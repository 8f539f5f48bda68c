"""The examples of a Markdown page: what a reader copies, and what the page says comes of it.

The comment `<!-- not run: reason -->` above a block says why it is not run.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(
    r"^(<!-- not run: [^\n]+ -->\n)?```(python|bash|console|text)\n(.*?)^```",
    re.DOTALL | re.MULTILINE,
)
_COMMAND = re.compile(r"^\$ (.*(?:\\\n.*)*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


class Example(NamedTuple):
    """A block of code, or a command of a console with the output below it."""

    kind: str
    """"python", "bash", or "text" for what is shown and not run."""
    text: str
    output: str
    """What the page shows below a command of a console, with "..." for what it leaves out; "" for none."""

    @property
    def command(self) -> list[str]:
        """What runs it, as a reader would."""
        return (
            [sys.executable, "-c", self.text]
            if self.kind == "python"
            else ["bash", "-euo", "pipefail", "-c", self.text]
        )


def examples(page: str) -> Iterator[Example]:
    """The examples of a page in order, without those that are not run."""
    for reason, kind, text in _BLOCK.findall(page):
        if reason:
            continue
        if kind == "console":
            yield from (Example("bash", command, output) for command, output in _COMMAND.findall(text))
        else:
            yield Example(kind, text, "")


def install(folder: Path, top: Path) -> Path:
    """Write the program `sera-swezero` of the checkout into a folder, for the PATH; return the folder."""
    folder.mkdir(parents=True)
    program = folder / "sera-swezero"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{top}" exec "{sys.executable}" -m sera_swezero "$@"\n')
    program.chmod(0o755)
    return folder
