"""The examples of a Markdown page: what a reader copies, and what the page says comes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_BLOCK = re.compile(
    r"^(?:<!-- (not run: .+?) -->\n)?```(python|bash|console|text)\n(.*?)^```", re.DOTALL | re.MULTILINE
)
_COMMAND = re.compile(r"^\$ (.*(?:\\\n.*)*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


class Example(NamedTuple):
    """A block of code, or a command of a console with the output below it."""

    kind: str
    """"python", "bash", or "text" for the output of the example before it."""
    text: str
    output: str
    """What the page shows below a command of a console; "" for none."""


def examples(page: str) -> Iterator[Example]:
    """The examples of a page in order, without those that are marked as not run."""
    for reason, kind, text in _BLOCK.findall(page):
        if reason:
            continue
        if kind == "console":
            yield from (Example("bash", command, output) for command, output in _COMMAND.findall(text))
        else:
            yield Example(kind, text, "")
