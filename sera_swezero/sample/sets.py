"""The upstream sets that the generator imitates: repos, files and shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Set:
    """One upstream repo."""

    config: str
    """The name that loads it."""
    repo: str
    file: str
    """Its files' names; `{rows}` in the whole set, `{at}` and `{of}` for one of several Parquet files."""
    kind: Literal["sera", "swe_zero"]
    rows: int
    """Rows in the shipped corpus."""
    files: int = 1
    row_group: int = 0
    """Rows per Parquet row group in the shipped corpus; 0: one group per file."""
    submitted: float = 1.0
    """SWE-ZERO: the share of rows that end in a submission, as the cards tell it."""
    rollout: Literal["T1", "T2"] = "T1"
    """SERA: T1 is asked vaguely, T2 is asked to do again what T1 did."""

    @property
    def wide(self) -> bool:
        """SWE-ZERO: whether the rows have the ten columns of the 1k sets."""
        return "12M" not in self.repo


PARQUET = "data/train-{at:05}-of-{of:05}.parquet"
JSONL = "sera-{name}_{{rows}}_string_enriched.jsonl"

SETS = {
    "full_t1": Set("glm-4.5-air-full-t1", "allenai/Sera-4.5A-Full-T1", JSONL.format(name="4.5a-full-t1"), "sera", 88),
    "full_t2": Set(
        "glm-4.5-air-full-t2", "allenai/Sera-4.5A-Full-T2", JSONL.format(name="4.5a-full-t2"), "sera", 80, rollout="T2"
    ),
    "lite_t1": Set("glm-4.6-lite-t1", "allenai/Sera-4.6-Lite-T1", JSONL.format(name="4.6-lite-t1"), "sera", 72),
    "lite_t2": Set(
        "glm-4.6-lite-t2", "allenai/Sera-4.6-Lite-T2", JSONL.format(name="4.6-lite-t2"), "sera", 70, rollout="T2"
    ),
    "zero_32k": Set(
        "swe-zero-1k-32k", "AlienKevin/SWE-ZERO-1k-trajectories-32k", PARQUET, "swe_zero", 112, 2, 20, 0.486
    ),
    "zero_8k": Set("swe-zero-1k-8k", "AlienKevin/SWE-ZERO-1k-trajectories", PARQUET, "swe_zero", 110, submitted=0.154),
    "zero_12m": Set("swe-zero-12m", "AlienKevin/SWE-ZERO-12M-trajectories", PARQUET, "swe_zero", 126, 3, 16, 0.0384),
}
