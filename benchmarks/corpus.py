"""Generated corpora to measure on, made once and kept: the generator is deterministic, so a folder is its arguments."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

SERA = "glm-4.6-lite-t2"
"""The SERA config that is measured: T2, so that every row's recall is computed too."""

SWE_ZERO, SWE_ZERO_12M = "swe-zero-1k-32k", "swe-zero-12m"

KEPT = Path(os.environ.get("SERA_SWEZERO_BENCH", Path(tempfile.gettempdir()) / "sera-swezero-bench"))
"""Where corpora stay between runs."""


def corpus(config: str, rows: int, row_bytes: int | None = None, *, seed: int = 0, edges: bool = False) -> Path:
    """A root for `upstream=` with `rows` rows of one config.

    Args:
        config: the set, by the config that loads it.
        rows: rows of the set.
        row_bytes: mean bytes of a raw row, None for the generator's own (SERA 190,000; SWE-ZERO 45,000).
        seed: another seed, other rows.
        edges: with odd rows of every kind among the others.
    """
    name = f"{config}-{rows}-{row_bytes or 'usual'}-{seed}{'-edges' if edges else ''}"
    root = KEPT / name
    if root.is_dir():
        return root
    KEPT.mkdir(parents=True, exist_ok=True)
    print(f"making {name}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=KEPT) as aside:
        command = [sys.executable, "-m", "tools.sample_corpus", "--out", f"{aside}/made", "--rows", str(rows)]
        command += ["--config", config, "--seed", str(seed)]
        command += ["--row-bytes", str(row_bytes)] if row_bytes else []
        subprocess.run([*command, *(["--edges"] if edges else [])], check=True)
        Path(aside, "made").rename(root)
    return root


def data_files(root: Path) -> list[Path]:
    """The upstream files of a root, in order."""
    return sorted([*root.rglob("*.jsonl"), *root.rglob("*.parquet")])
