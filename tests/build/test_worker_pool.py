"""A build in several processes: all take from one list, this one too, and what goes wrong in one ends all."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest

from sera_swezero.build import unit_files
from sera_swezero.build.runner import build
from sera_swezero.build.worker_process import Board
from sera_swezero.errors import UpstreamError
from tests.build.test_build import contents
from tests.support.publishing import SERA, sera_root, sera_row

SHARD_BYTES = 1_000_000
UNITS = 21


@pytest.fixture
def root(tmp_path: Path) -> str:
    return sera_root(tmp_path / "root", [sera_row(seed, 100_000) for seed in range(200)])


def entries(out: Path) -> list[Path]:
    return list((out / unit_files.STATE / SERA).glob("*.json"))


def others(out: Path) -> list[int]:
    """The other processes that are writing."""
    found = {int(part.name.split("-")[-2]) for part in (out / unit_files.STATE).glob("part-*")}
    return sorted(found - {os.getpid()})


def until(happened: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def at_first(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], list[int]]:
    """Have this process do something before its first unit; gives the numbers of the units that it builds."""

    def arrange(first: Callable[[], Any]) -> list[int]:
        mine: list[int] = []
        build_shard = unit_files.build_shard

        def build_here(unit: unit_files.Unit, *rest: Any) -> Any:
            if not mine:
                first()
            mine.append(unit.index)
            return build_shard(unit, *rest)

        monkeypatch.setattr(unit_files, "build_shard", build_here)
        return mine

    return arrange


def no_children() -> bool:
    return not multiprocessing.active_children()


def test_this_process_and_the_others_share_the_units(
    root: str, tmp_path: Path, at_first: Callable[..., list[int]]
) -> None:
    out = tmp_path / "out"
    mine = at_first(lambda: until(lambda: entries(out)))  # another has built a unit by itself
    made = build([SERA], out, upstream=root, workers=2, shard_bytes=SHARD_BYTES)
    assert len(made.configs[SERA].shards) == UNITS
    assert 0 < len(mine) < UNITS
    assert mine == sorted(set(mine))
    assert {path.stem for path in entries(out)} == {f"train-{i:05d}-of-{UNITS:05d}" for i in range(UNITS)}
    build([SERA], tmp_path / "alone", upstream=root, workers=1, shard_bytes=SHARD_BYTES)
    assert contents(out) == contents(tmp_path / "alone")
    until(no_children)


def test_a_killed_worker_ends_the_build_and_the_next_one_goes_on(
    root: str, tmp_path: Path, at_first: Callable[..., list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def kill() -> None:
        until(lambda: entries(out) and others(out))
        os.kill(others(out)[0], signal.SIGKILL)
        until(no_children)

    at_first(kill)
    with pytest.raises(BrokenProcessPool):
        build([SERA], out, upstream=root, workers=2, shard_bytes=SHARD_BYTES)
    assert not (out / "manifest.json").exists()
    assert 0 < len(entries(out)) < UNITS
    monkeypatch.undo()
    build([SERA], out, upstream=root, workers=1, shard_bytes=SHARD_BYTES)
    assert not list((out / unit_files.STATE).glob("part-*")), "what the killed one left half written is gone"
    build([SERA], tmp_path / "alone", upstream=root, workers=1, shard_bytes=SHARD_BYTES)
    assert contents(out) == contents(tmp_path / "alone")


def test_what_goes_wrong_in_another_process_is_raised_here(
    root: str, tmp_path: Path, at_first: Callable[..., list[int]]
) -> None:
    out = tmp_path / "out"
    upstream = next(Path(root).rglob("*.jsonl"))

    def truncate() -> None:
        size = upstream.stat().st_size
        os.truncate(upstream, size // 2)
        # Units that lie in the missing half fail; the other process reaches the first of them.
        until(lambda: len(entries(out)) >= UNITS // 2 - 2)
        until(lambda: not (others(out) or time.sleep(0.5) or others(out)))

    mine = at_first(truncate)
    with pytest.raises(UpstreamError, match="ends at byte"):
        build([SERA], out, upstream=root, workers=2, shard_bytes=SHARD_BYTES)
    assert len(mine) == 1, "this process looked around after a row of its first unit"
    assert not list((out / unit_files.STATE).glob("part-*"))
    until(no_children)


def test_a_board_deals_every_number_once_and_adds_up() -> None:
    board = Board(["a", "b"])
    assert [board.take() for _ in range(3)] == [0, 1, 2]
    board.add("b", 5, 700, 0)
    board.add("b", 1, 50, 1)
    assert board.state() == {"a": (0, 0, 0), "b": (6, 750, 1)}
