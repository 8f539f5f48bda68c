"""What the card tells of the rows, counted while they are built, so that every figure comes from the data."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from sera_swezero.core.conversions import Notes
from sera_swezero.core.recall import bin_of
from sera_swezero.core.rectify import rectify
from sera_swezero.request.settle import Request
from sera_swezero.views import Rollout, Row

RECALL_BINS = 10
"""The recall histogram has this many bins of equal width; the last one includes 1.0."""


class Spread(msgspec.Struct, omit_defaults=True):
    """Least, most and mean of a number over rows."""

    rows: int = 0
    total: int = 0
    least: int = 0
    most: int = 0

    def note(self, value: int) -> None:
        """Count one row."""
        self.add(Spread(1, value, value, value))

    def add(self, other: Spread) -> None:
        """Add the rows of another spread."""
        if other.rows:
            self.least = min(self.least, other.least) if self.rows else other.least
            self.most = max(self.most, other.most)
        self.rows += other.rows
        self.total += other.total

    @property
    def mean(self) -> float:
        """The mean, 0 where there are no rows."""
        return self.total / self.rows if self.rows else 0.0


class Figures(msgspec.Struct, omit_defaults=True):
    """Counts over the rows of a shard or of many.

    messages: messages per row (the card's "turns"). calls: tool calls per row, as the view shows them. recall: rows per
    bin of `RECALL_BINS`, empty in a view without the column. no_recall: rows whose recall is null. outcomes: rows by
    the status of `trajectory.STATUSES`.
    """

    messages: Spread = msgspec.field(default_factory=Spread)
    calls: Spread = msgspec.field(default_factory=Spread)
    recall: list[int] = []
    no_recall: int = 0
    outcomes: dict[str, int] = {}

    def note(self, rollout: Rollout, row: Row) -> None:
        """Count one row beside the rollout that it shows."""
        messages, tool_calls = _counted(row, rollout)
        self.messages.note(messages)
        rectified = rollout.submit == "answer"
        # Rectifying takes submits out, so there the row is asked; elsewhere every call of the rollout is in the row.
        calls = tool_calls if rectified else sum(step.call is not None for step in rollout.trajectory.steps)
        self.calls.note(calls)
        status = rollout.trajectory.outcome.status
        self.outcomes[status] = self.outcomes.get(status, 0) + 1
        if "line_level_recall" in row:
            self._note_recall(row["line_level_recall"])

    def _note_recall(self, recall: float | None) -> None:
        if recall is None:
            self.no_recall += 1
            return
        self.recall = self.recall or [0] * RECALL_BINS
        self.recall[bin_of(recall, RECALL_BINS)] += 1

    def add(self, other: Figures) -> None:
        """Add the rows of other figures."""
        self.messages.add(other.messages)
        self.calls.add(other.calls)
        self.no_recall += other.no_recall
        if other.recall:
            mine = self.recall or [0] * RECALL_BINS
            self.recall = [one + two for one, two in zip(mine, other.recall, strict=True)]
        for status, count in other.outcomes.items():
            self.outcomes[status] = self.outcomes.get(status, 0) + count


def measured(request: Request, figures: Figures) -> Request:
    """The same request, whose view also counts every row that it renders in `figures`."""
    render: Callable[[Any], Row] = request.view.render

    def render_and_note(rollout: Rollout) -> Row:
        row = render(rollout)
        figures.note(rollout, row)
        return row

    return replace(request, view=replace(request.view, render=render_and_note))


class _Message(msgspec.Struct):
    role: str = ""


_decode = msgspec.json.Decoder(_Message).decode
_decode_all = msgspec.json.Decoder(list[_Message]).decode


def _counted(row: Row, rollout: Rollout) -> tuple[int, int]:
    """How many messages a row has, and how many of the role tool_call."""
    messages = row.get("messages")
    if isinstance(messages, bytes):
        # These were held to the grammar a moment ago, and it says how many there are. Decoding or even searching them
        # again would cost more than all checks together.
        if rollout.trajectory.submitted:
            calls = sum(step.call is not None and not step.call.submits for step in rollout.trajectory.steps)
            calls += len(rollout.begun.steps)
            return 4 + 3 * calls, calls
        submit_text = rollout.source.submit_text
        shown = rectify(rollout.trajectory, Notes(), fill=False, submit_text=submit_text, begun=rollout.begun)
        called = [step.observation for step in shown.steps if step.call is not None]
        heads = (shown.system is not None) + (shown.task is not None)
        return heads + len(shown.steps) + 2 * len(called) - called.count(None), len(called)
    roles = _roles(row)
    return len(roles), roles.count("tool_call")


def _roles(row: Row) -> list[str]:
    """The role of every message of a row, in whichever column and form the view keeps them."""
    messages = row.get("messages", row.get("conversations"))
    if isinstance(messages, str):
        try:
            return [message.role for message in _decode_all(messages)]
        except msgspec.DecodeError:
            # The native view keeps upstream's text, in which half a surrogate pair may stand as an escape.
            messages = json.loads(messages)
    # With Json leaves every message is a JSON text of its own.
    return [_decode(one).role if isinstance(one, str) else one.get("role", one.get("from")) for one in messages or ()]
