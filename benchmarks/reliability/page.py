"""The row of a part in docs/reliability.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.reliability.rounds import Part

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


def row(part: Part, seed: int, rounds: int, outcomes: Mapping[str, int]) -> str:
    """What was tried, how often, and what came of it, as a row of the page's table."""
    seen = "; ".join(f"{count:,} {what}" for what, count in sorted(outcomes.items(), key=lambda one: -one[1]))
    return f"| `{part.name}` | {part.tried} | {seed} | {rounds:,} | {seen} |"


def write(part: Part, line: str) -> None:
    """Put a part's row in the place of its former one."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    lines = [line if one.startswith(f"| `{part.name}` |") else one for one in lines]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")
