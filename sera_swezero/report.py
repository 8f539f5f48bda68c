"""What became of records: how many there were, and why some did not become rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Report:
    """What became of the records of one shard or of many.

    rows_in: records read. rows_out: rows given. filtered_by: rows left out, by the names of `filters.FILTERS`.
    rejected: by the reasons of `errors.REASONS`. conversions: by the kinds of `conversions.CONVERSIONS`.
    """

    rows_in: int = 0
    rows_out: int = 0
    filtered_by: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    conversions: Counter[str] = field(default_factory=Counter)

    @property
    def filtered(self) -> int:
        """Rows that filters left out."""
        return self.filtered_by.total()

    def add(self, other: Report) -> None:
        """Add another report's counts to this one's."""
        self.rows_in += other.rows_in
        self.rows_out += other.rows_out
        self.filtered_by.update(other.filtered_by)
        self.rejected.update(other.rejected)
        self.conversions.update(other.conversions)

    def __str__(self) -> str:
        told = f"{self.rows_in} rows in, {self.rows_out} out"
        if self.filtered_by:
            told += ", filtered: " + ", ".join(f"{count} {name}" for name, count in sorted(self.filtered_by.items()))
        if self.rejected:
            told += ", rejected: " + ", ".join(f"{count} {reason}" for reason, count in sorted(self.rejected.items()))
        return told
