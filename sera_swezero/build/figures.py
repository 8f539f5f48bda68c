"""What the card tells of the rows, counted while they are built, so that every figure comes from the data."""

from __future__ import annotations

import msgspec

from sera_swezero.convert import Converted
from sera_swezero.core.recall import bin_of
from sera_swezero.views import View

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

    def note(self, converted: Converted, view: View) -> None:
        """Count one row of a view."""
        row, messages = converted.row, converted.messages
        self.messages.note(len(view.messages(row)) if messages is None else messages)
        self.calls.note(converted.calls)
        status = converted.view_input.trajectory.outcome.status
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
