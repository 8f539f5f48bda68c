"""A part of the table: something random that is done again and again, and what may come of it."""

from __future__ import annotations

import random
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

Play = Callable[[random.Random], Mapping[str, int]]
"""Plays one round with its own random numbers. Gives what came of it, in the words of the page, with how often; any
exception means that something came of it that must not."""

WRONG = "**wrong**"


class Part(NamedTuple):
    """Something random that is done again and again."""

    name: str
    """The word for it on the command line."""

    tried: str
    """What a round does, for the page."""

    prepared: Callable[[Path], AbstractContextManager[Play]]
    """Makes what all rounds share, in an empty folder."""


def play(part: Part, seed: int, rounds: int, first: int = 0) -> Counter[str]:
    """Play the rounds from number `first` on, and count what came of them.

    The random numbers of a round follow from the seed and its own number alone, so that one round can be repeated.
    """
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, part.prepared(Path(folder)) as play_round:
        for number in range(first, first + rounds):
            try:
                outcomes.update(play_round(random.Random(f"{seed}:{number}")))
            except Exception:  # noqa: BLE001 (the other rounds are played all the same)
                traceback.print_exc()
                print(f"wrong: {part.name} --seed {seed} --first {number} --rounds 1", file=sys.stderr)
                outcomes[WRONG] += 1
    return outcomes
