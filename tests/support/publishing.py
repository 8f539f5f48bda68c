"""Upstream rows of any size and number for the tests of building and pushing: bytes of their own for every test."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from tests.support.raw import T2, Turn, history, line, sera, write_lines

SERA = T2
"""The config that `sera_root` feeds."""


def sera_row(seed: int, size: int = 2_000) -> dict[str, Any]:
    """Make a raw SERA row: a call and a submission, with an observation of about `size` bytes of its own."""
    noise = random.Random(seed).randbytes(size // 2).hex()
    look = Turn(f"I look at {seed}.", "", "bash", json.dumps({"command": f"cat {seed}.py"}), noise)
    submit = Turn("Done.", "The fix is in.", "submit", "{}", "diff")
    patch = f"+fixed {seed}\n"
    return sera(
        history([look, submit], task=f"Fix number {seed}."),
        instance_id=f"made_{seed}",
        rollout_patch=patch,
        target_patch=patch,
        func_path=f"{seed}.py",
    )


def build_command(out: Path, root: str, workers: int, shard_size: str = "1MB") -> list[str]:
    """The words behind `python` that build the config from a root."""
    command = ["-m", "sera_swezero", "build", SERA, "--out", str(out), "--upstream", root]
    return [*command, "--workers", str(workers), "--shard-size", shard_size]


def sera_root(folder: Path, rows: list[dict[str, Any]], config: str = SERA) -> str:
    """Write the rows as the only file of the config's upstream repo below `folder`: a root for `upstream=`."""
    write_lines(folder, config, *map(line, rows))
    return str(folder)
