"""Corpora whose every figure is known before a row is written: the tests of the statistics add up a plan, not rows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sera_swezero.catalog import CONFIGS
from tests.support.raw import Turn, chat, swe_zero

ZERO = "swe-zero-1k-32k"
STATUSES = {"submitted": "Submitted", "incomplete": "incomplete", "errored": "errored", "other": "killed"}
NUDGED = Turn("Let me think.", "", None, None, "nudge")


@dataclass(frozen=True)
class Rollout:
    """One SWE-ZERO row: what its columns say, and its turns (a command, or None for a turn without a block)."""

    instance: str
    status: str
    commands: Sequence[str | None]
    prompt: int = 0
    completion: int = 0
    seconds: float = 1.0
    repo: str = "acme/calc"
    task: str = "Make it work."
    row: dict[str, Any] = field(default_factory=dict)

    def raw(self) -> dict[str, Any]:
        """The row in the upstream file's columns."""
        turns = [NUDGED if c is None else Turn("I look.", "", "bash", c, "out\n") for c in self.commands]
        if self.status == "submitted" and turns:
            turns[-1] = Turn("I look.", "", "bash", self.commands[-1], None)
        messages = chat(turns, task=self.task) if self.commands else []
        return swe_zero(
            messages,
            STATUSES[self.status],
            instance_id=self.instance,
            repo=self.repo,
            n_turns=len(self.commands),
            n_messages=len(messages),
            prompt_tokens=self.prompt,
            completion_tokens=self.completion,
            duration_sec=self.seconds,
            **self.row,
        )


def rollouts(count: int, seed: int = 0) -> list[Rollout]:
    """So many rollouts of every kind."""
    dice = random.Random(seed)
    made = []
    for number in range(count):
        status = dice.choices([*STATUSES], [4, 5, 1, 1])[0]
        commands: list[str | None] = [command(dice) for _ in range(dice.randrange(1, 12))]
        for at in range(len(commands) - 1):
            if dice.random() < 0.1:
                commands[at] = None
        if status == "errored" and dice.random() < 0.5:
            commands = []
        tokens = dice.randrange(100, 60_000), dice.randrange(50, 5_000)
        seconds = dice.randrange(1_460, 388_000) / 1000
        made.append(Rollout(f"acme__calc-{number // 5}", status, commands, *tokens, seconds))
    return made


_WORDS = [random.Random(at).randbytes(3).hex() for at in range(80)]


def command(dice: random.Random, words: int = 3) -> str:
    """A command that is unlike most others."""
    return dice.choice(["grep -rn ", "cat ", "sed -n 1,40p "]) + "/".join(dice.choices(_WORDS, k=words))


def write_zero(root: Path, rows: Sequence[dict[str, Any]], config: str = ZERO, files: int = 1) -> None:
    """Write rows where the config's repo is looked for below the root, as Parquet files."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from tools.sample_corpus.files import schema
    from tools.sample_corpus.sets import SETS

    one = next(one for one in SETS.values() if one.config == config)
    folder = root / CONFIGS[config].origins[0].repo / "data"
    folder.mkdir(parents=True)
    per_file = -(-len(rows) // files)
    for at in range(files):
        table = pa.Table.from_pylist(list(rows[at * per_file : (at + 1) * per_file]), schema(one))
        pq.write_table(table, folder / f"train-{at:05}-of-{files:05}.parquet")
