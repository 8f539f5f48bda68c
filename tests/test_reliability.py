"""The page about faults, kills and damage: it has every part, and a few rounds of each go as it says."""

from __future__ import annotations

import random

import pytest

from benchmarks.reliability.__main__ import PARTS
from benchmarks.reliability.page import PAGE
from benchmarks.reliability.rounds import WRONG
from tests.support.processes import python


@pytest.mark.parametrize("name", PARTS)
def test_the_page_has_a_row_of_every_part(name: str) -> None:
    (row,) = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{name}` |")]
    assert PARTS[name].tried in row
    assert WRONG not in row


@pytest.mark.long
@pytest.mark.parametrize("name", PARTS)
def test_some_rounds_go_as_the_page_says(name: str) -> None:
    seed = random.SystemRandom().randrange(10**9)
    python("-m", "benchmarks.reliability", name, "--seed", seed, "--rounds", 12, well=True)
