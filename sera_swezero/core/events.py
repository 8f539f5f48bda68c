"""The events that an adapter reports of a raw record, in the record's own order; `machine.fold` folds them.

A `Step` is an event, too: it reports a turn with its calls and observations in one piece, which nearly all turns are.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from sera_swezero.core.trajectory import Outcome, Step, ToolCall


class System(msgspec.Struct, frozen=True, gc=False):
    """The system message."""

    text: str


class Task(msgspec.Struct, frozen=True, gc=False):
    """The first user message, which says what the model was asked to do."""

    text: str


class Said(msgspec.Struct, frozen=True, gc=False):
    """A turn of the model begins. Its reasoning and its visible text may each be ""."""

    reasoning: str
    visible: str


class Called(msgspec.Struct, frozen=True, gc=False):
    """A tool call of the turn. Its observation is an event of its own."""

    call: ToolCall


class Observed(msgspec.Struct, frozen=True, gc=False):
    """The output of a tool call, or what the harness said after a turn without one."""

    text: str
    answers: str | None = None
    """The id of the call that it answers; None where the record names no call, and it answers the first open one."""


class Replied(msgspec.Struct, frozen=True, gc=False):
    """What the harness or the user said after a turn, where the record tells it from an observation."""

    text: str


class Ended(msgspec.Struct, frozen=True, gc=False):
    """The record is over."""

    outcome: Outcome


Event: TypeAlias = System | Task | Said | Called | Observed | Replied | Step | Ended
"""What an adapter may say. It numbers, links, repairs and invents nothing."""
