"""What became of records: the one report of counts, for streams, builds, manifests and statistics, and its log line."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

_LOG = logging.getLogger("sera_swezero")

if TYPE_CHECKING:
    Counts = Counter[str]
else:
    Counts = dict[str, int]  # what msgspec can read; a report makes a Counter of it


class Report(msgspec.Struct, rename={"filtered_by": "filtered"}):
    """What became of the records of one shard or of many.

    Where each record gives one row, `rows_in` is the sum of all that follows it.
    """

    rows_in: int = 0
    """Records read."""
    rows_out: int = 0
    """Rows."""
    records_out: int = 0
    """Records that became rows: as many as rows, or fewer where a record gives several."""
    filtered_by: Counts = msgspec.field(default_factory=Counter)
    """Records or rows that a filter left out, by the filter's name in `filters.FILTERS`. It is `filtered` in JSON."""
    rejected: Counts = msgspec.field(default_factory=Counter)
    """Records, or rows of a record that gives several, that cannot be, by the reasons of `errors.REASONS`."""
    conversions: Counts = msgspec.field(default_factory=Counter)
    """How often each kind of `conversions.CONVERSIONS` was needed, over the rows."""

    def __post_init__(self) -> None:
        self.filtered_by = Counter(self.filtered_by)
        self.rejected = Counter(self.rejected)
        self.conversions = Counter(self.conversions)

    @property
    def filtered(self) -> int:
        """Rows that filters left out."""
        return self.filtered_by.total()

    def add(self, other: Report) -> None:
        """Add another report's counts to this one's."""
        self.rows_in += other.rows_in
        self.rows_out += other.rows_out
        self.records_out += other.records_out
        self.filtered_by.update(other.filtered_by)
        self.rejected.update(other.rejected)
        self.conversions.update(other.conversions)

    def since(self, before: Report) -> Report:
        """What was counted after `before`, a copy that was made of this report."""
        return Report(
            rows_in=self.rows_in - before.rows_in,
            rows_out=self.rows_out - before.rows_out,
            records_out=self.records_out - before.records_out,
            filtered_by=self.filtered_by - before.filtered_by,
            rejected=self.rejected - before.rejected,
            conversions=self.conversions - before.conversions,
        )

    def __str__(self) -> str:
        text = f"{self.rows_in} rows in, {self.records_out} out"
        if self.rows_out != self.records_out:
            text += f" as {self.rows_out} rows"
        for what, counts in (("filtered", self.filtered_by), ("rejected", self.rejected)):
            if counts:
                text += f", {what}: " + ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
        return text


def log_pass(name: str, report: Report) -> None:
    """Warn once, at the end of a pass over a config, if records were rejected; silent where `datasets` is to be."""
    library = sys.modules.get("datasets.utils.logging")
    if report.rejected and (library is None or library.get_verbosity() <= logging.WARNING):
        _LOG.warning("%s: %s", name, report)
