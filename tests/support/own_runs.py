"""A folder of runs of one's own, as a person keeps it: files of runs in folders, and other files among them."""

from __future__ import annotations

from pathlib import Path

from tests.support.publishing import sera_row
from tests.support.raw import line

OTHERS = {"first/one.log": "text", "first/two.log": "text", "config.yaml": "model: x", "NOTES": "none"}
"""What is left alone."""


def runs(folder: Path, rows: int = 4) -> Path:
    """Write runs into the folder: half of them in one file, half in a folder of a folder. Returns the folder."""
    half = rows // 2
    for name, seeds in {"first/monday.jsonl": range(half), "later/deep/tuesday.jsonl": range(half, rows)}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(line(sera_row(seed)) for seed in seeds))
    for name, text in OTHERS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def names(*seeds: int) -> list[str]:
    """The instance ids of the runs."""
    return [f"made_{seed}" for seed in seeds]
