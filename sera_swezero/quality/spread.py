"""How a number is spread over rows: exact least, most and mean, and quantiles, in bounded memory, in one pass.

Two spreads add up to the spread of both, in any order, so that shards can be counted apart.
"""

from __future__ import annotations

import math

import msgspec

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""The quantiles that are told: the least value that this share of the rows does not exceed."""

_EXACT_BITS = 11


class Spread(msgspec.Struct):
    """Counts of a whole number over rows; negative values do not occur in any column.

    scale: units of the stored number in one of the column's (1000 where a column in seconds is kept in milliseconds).
    counts: rows by value; values from 2048 on are kept to 11 binary digits, rounded down, so a quantile there is at
    most 0.1 % too low, and there are never more than some 50,000 keys (in practice a few thousand).
    """

    scale: int = 1
    rows: int = 0
    total: int = 0
    least: int = 0
    most: int = 0
    counts: dict[int, int] = {}

    def note(self, value: float, times: int = 1) -> None:
        """Count `times` rows of this value."""
        whole = round(value * self.scale)
        spare = whole.bit_length() - _EXACT_BITS
        key = whole if spare <= 0 else whole >> spare << spare
        self.least = min(self.least, whole) if self.rows else whole
        self.most = max(self.most, whole)
        self.rows += times
        self.total += whole * times
        self.counts[key] = self.counts.get(key, 0) + times

    def add(self, other: Spread) -> None:
        """Add the rows of another spread."""
        if not other.rows:
            return
        self.least = min(self.least, other.least) if self.rows else other.least
        self.most = max(self.most, other.most)
        self.rows += other.rows
        self.total += other.total
        self.scale = other.scale
        for key, count in other.counts.items():
            self.counts[key] = self.counts.get(key, 0) + count

    @property
    def mean(self) -> float | None:
        """The mean, None where there are no rows."""
        return self.total / self.rows / self.scale if self.rows else None

    def quantile(self, share: float) -> float | None:
        """The least value that `share` (0 to 1) of the rows do not exceed, None where there are no rows."""
        wanted, seen = max(1, math.ceil(share * self.rows)), 0
        for key in sorted(self.counts):
            seen += self.counts[key]
            if seen >= wanted:
                return self._told(max(key, self.least))
        return None

    def figures(self) -> dict[str, float | None]:
        """Everything it tells, by name: rows, total, min, mean, max and the quantiles as p5, p25 ..."""
        if not self.rows:
            return {"rows": 0}
        told: dict[str, float | None] = {
            "rows": self.rows,
            "total": self._told(self.total),
            "min": self._told(self.least),
        }
        told["mean"] = self.mean
        told["max"] = self._told(self.most)
        return told | {f"p{round(share * 100)}": self.quantile(share) for share in QUANTILES}

    def _told(self, whole: int) -> float:
        return whole if self.scale == 1 else whole / self.scale
