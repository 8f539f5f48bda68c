"""How a number is distributed over rows: the counts of a `Spread`, and quantiles, in one pass and bounded memory."""

from __future__ import annotations

import math

import msgspec

from sera_swezero.build.figures import Spread

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""The quantiles that are shown: the least value that this share of the rows does not exceed."""

_EXACT_BITS = 11


class Distribution(Spread):
    """Counts of a number over rows. No column has negative values. Two distributions add up, in any order."""

    scale: int = 1
    """What values are multiplied by to be stored as whole numbers: 1000 stores seconds as milliseconds."""
    counts: dict[int, int] = msgspec.field(default_factory=dict)
    """Rows by value. Values from 2048 on are kept to 11 binary digits, rounded down, so a quantile there is at most
    0.1 % too low, and there are never more than some 50,000 keys (in practice a few thousand)."""

    def note(self, value: float) -> None:
        """Count one row."""
        whole = round(value * self.scale)
        super().note(whole)
        spare = whole.bit_length() - _EXACT_BITS
        key = whole if spare <= 0 else whole >> spare << spare
        self.counts[key] = self.counts.get(key, 0) + 1

    def add(self, other: Spread) -> None:
        """Add the rows of another distribution."""
        super().add(other)
        if isinstance(other, Distribution) and other.rows:
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
                return self._in_units(max(key, self.least))
        return None

    def figures(self) -> dict[str, float | None]:
        """All figures by name: rows, total, min, mean, max and the quantiles as p5, p25 ..."""
        if not self.rows:
            return {"rows": 0}
        ends = {"min": self._in_units(self.least), "mean": self.mean, "max": self._in_units(self.most)}
        quantiles = {f"p{round(share * 100)}": self.quantile(share) for share in QUANTILES}
        return {"rows": self.rows, "total": self._in_units(self.total), **ends, **quantiles}

    def _in_units(self, whole: int) -> float:
        return whole if self.scale == 1 else whole / self.scale
