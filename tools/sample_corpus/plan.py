"""What the generator puts into a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

Message = dict[str, Any]
NO_OUTPUT = "Your last command ran successfully and did not produce any output."


def observe(output: str) -> str:
    """A SERA observation of `output`: behind the harness's prefix, or its fixed text where nothing was printed."""
    return f"OBSERVATION:\n{output}" if output.strip() else NO_OUTPUT


@dataclass
class Turn:
    """One turn of the model and the environment's reply."""

    reasoning: str = ""
    visible: str = ""
    tool: str | None = "bash"
    """The tool that the turn calls; None: the turn is text alone."""
    arguments: Any = field(default_factory=dict)
    """The call's arguments: an object, or a text that is written as it is (broken or empty arguments)."""
    observation: str | None = None
    """The reply as the environment gives it, prefix and all; None: nothing follows."""
    text: str | None = None
    """The model's raw text where it is not the usual `<think>reasoning</think>` and the visible text on a new line."""
    reply: str = "tool"
    """The role of the reply."""
    edit: Callable[[Message, Message], None] | None = None
    """A change to the raw messages of the turn and of its reply ({} where there is none)."""


@dataclass
class Plan:
    """One raw row: its columns and its turns."""

    columns: dict[str, Any]
    """The row without `messages`, in the order of the file."""
    task: str
    """The text of the first user message."""
    body: list[Turn] = field(default_factory=list)
    ending: list[Turn] = field(default_factory=list)
    edit_messages: Callable[[list[Message]], Any] | None = None
    """A change to the raw list of messages; what it returns, if not None, is written in place of the list."""
    edit_row: Callable[[dict[str, Any]], None] | None = None
    """A change to the raw row."""
    ascii: bool = True
    """Whether the row's JSON escapes all that is not ASCII, as upstream does."""
    line: str | None = None
    """The whole line, where it is not the row's JSON."""

    @property
    def turns(self) -> list[Turn]:
        """All turns in order."""
        return self.body + self.ending

    def put(self, rng: Random, *turns: Turn) -> None:
        """Put the turns together somewhere into the body."""
        at = rng.randrange(len(self.body) + 1)
        self.body[at:at] = turns
