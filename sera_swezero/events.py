"""What an adapter may say about a raw record, one event at a time, in the record's own order.

An adapter numbers, links, repairs and invents nothing; `machine.fold` makes a Trajectory of the events and is the only
place that knows which order is legal.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from sera_swezero.trajectory import Outcome, ToolCall


class System(NamedTuple):
    """The system message."""

    text: str


class Task(NamedTuple):
    """The first user message: what the model was asked to do."""

    text: str


class Said(NamedTuple):
    """A turn of the model begins: its reasoning and its visible text, either may be ""."""

    reasoning: str
    visible: str


class Called(NamedTuple):
    """The turn's tool call."""

    call: ToolCall


class Observed(NamedTuple):
    """What came back. `answers` is the id of the call it names, None where the record names none."""

    text: str
    answers: str | None = None


class Ended(NamedTuple):
    """The record is over."""

    outcome: Outcome


Event: TypeAlias = System | Task | Said | Called | Observed | Ended
