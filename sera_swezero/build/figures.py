"""What is counted over rows: by a build for its card, and in more detail by the statistics."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, ClassVar

import msgspec

from sera_swezero.report import Report

RECALL_BINS = 20
"""Bins of a recall histogram, each 0.05 wide. A bin includes its lower edge, and the last one also 1.0."""


class Spread(msgspec.Struct, omit_defaults=True):
    """Least, most and mean of a whole number over rows. Spreads can be added in any order."""

    rows: int = 0
    total: int = 0
    least: int = 0
    most: int = 0

    def note(self, value: int) -> None:
        """Count one row."""
        self.least = min(self.least, value) if self.rows else value
        self.most = max(self.most, value)
        self.rows += 1
        self.total += value

    def add(self, other: Spread) -> None:
        """Add the rows of another spread."""
        if other.rows:
            self.least = min(self.least, other.least) if self.rows else other.least
            self.most = max(self.most, other.most)
        self.rows += other.rows
        self.total += other.total

    @property
    def mean(self) -> float | None:
        """The mean; None if there are no rows."""
        return self.total / self.rows if self.rows else None


class Figures(msgspec.Struct, omit_defaults=True):
    """Counts over the rows of one shard or of many. Figures can be added in any order."""

    described_by: ClassVar[frozenset[str]] = frozenset()
    """Fields that are not counts, but say what is counted."""
    messages: Spread = msgspec.field(default_factory=Spread)
    """Messages per row, which the SERA card calls turns."""
    calls: Spread = msgspec.field(default_factory=Spread)
    """Tool calls per row, as the view shows them."""
    outcomes: dict[str, int] = {}
    """Rows by their outcome, a status of `trajectory.STATUSES`."""
    recall: list[int] = []
    """Rows by bin of their line-level recall; empty if no row has a recall."""
    no_recall: int = 0
    """Rows without a recall, in views that have the column."""

    def note_row(self, *, messages: int, calls: int, outcome: str) -> None:
        """Count one row."""
        self.messages.note(messages)
        self.calls.note(calls)
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1

    def note_recall(self, recall: float | None) -> None:
        """Count the recall of one row; None for a row without one."""
        if recall is None:
            self.no_recall += 1
        else:
            self.recall = self.recall or [0] * RECALL_BINS
            self.recall[min(int(recall * RECALL_BINS), RECALL_BINS - 1)] += 1

    def add(self, other: Figures) -> None:
        """Add the rows of other figures, which stay as they are."""
        for name in set(self.__struct_fields__) - self.described_by:
            setattr(self, name, added(getattr(self, name), getattr(other, name)))


def added(one: Any, other: Any) -> Any:
    """The sum of two counts of the same kind; either may be None or empty. `one` may change, `other` does not."""
    if one is None or other is None:
        return one if other is None else deepcopy(other)
    if isinstance(one, Spread | Report):
        one.add(other)
        return one
    if isinstance(one, dict):
        return {**one, **{name: one.get(name, 0) + count for name, count in other.items()}}
    if isinstance(one, list):
        return [a + b for a, b in zip(one, other, strict=True)] if one and other else [*one, *other]
    return one + other
