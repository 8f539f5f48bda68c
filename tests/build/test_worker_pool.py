"""A build in several processes: all take from one list, this one too, and what goes wrong in one ends all."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sera_swezero.build import environment, worker_process
from sera_swezero.build.runner import build
from sera_swezero.build.worker_process import Board, Group
from sera_swezero.errors import BuildError, UpstreamError
from tests.build.conftest import MEGABYTE
from tests.support.built import contents, entries, marks, scratch, writer_of
from tests.support.publishing import SERA, sera_root, sera_row


def others(out: Path) -> list[int]:
    """The other processes that are writing."""
    return sorted({writer_of(part) for part in scratch(out)} - {os.getpid()})


def until(happened: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def at_first(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], list[int]]:
    """Have this process do something before its first unit; returns the numbers of the units that it builds."""

    def arrange(first: Callable[[], Any]) -> list[int]:
        mine: list[int] = []
        build_shards = worker_process.build_shards

        def build_here(units: Group, *rest: Any) -> Any:
            if not mine:
                first()
            mine.append(units[0].index)
            return build_shards(units, *rest)

        monkeypatch.setattr(worker_process, "build_shards", build_here)
        return mine

    return arrange


def no_children() -> bool:
    return not multiprocessing.active_children()


def test_this_process_and_the_others_share_the_units(
    root: str, straight: Path, tmp_path: Path, at_first: Callable[..., list[int]]
) -> None:
    out = tmp_path / "out"
    mine = at_first(lambda: until(lambda: entries(out)))  # another has built a unit by itself
    build([SERA], out, upstream=root, workers=2, shard_bytes=MEGABYTE)
    assert 0 < len(mine) < len(marks(straight))
    assert mine == sorted(set(mine))
    assert entries(out) == entries(straight)
    assert contents(out) == contents(straight)
    until(no_children)


def test_a_killed_worker_ends_the_build_and_the_next_one_goes_on(
    root: str, straight: Path, tmp_path: Path, at_first: Callable[..., list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def kill() -> None:
        until(lambda: entries(out) and others(out))
        os.kill(others(out)[0], signal.SIGKILL)
        until(no_children)

    at_first(kill)
    with pytest.raises(BuildError, match=r"a process of the build was killed by signal 9; what is done stays"):
        build([SERA], out, upstream=root, workers=2, shard_bytes=MEGABYTE)
    assert not (out / "manifest.json").exists()
    assert entries(out)
    assert entries(out) < entries(straight)
    monkeypatch.undo()
    build([SERA], out, upstream=root, workers=1, shard_bytes=MEGABYTE)
    assert not scratch(out), "what the killed one left half written is gone"
    assert contents(out) == contents(straight)


def test_what_goes_wrong_in_another_process_is_raised_here(tmp_path: Path, at_first: Callable[..., list[int]]) -> None:
    out = tmp_path / "out"
    root = sera_root(tmp_path / "root", [sera_row(seed, 100_000) for seed in range(200)])
    upstream = next(Path(root).rglob("*.jsonl"))

    def truncate() -> None:
        os.truncate(upstream, upstream.stat().st_size // 2)
        # Units that lie in the missing half fail; the other process reaches the first of them.
        until(lambda: len(entries(out)) >= 8)
        until(lambda: not (others(out) or time.sleep(0.5) or others(out)))

    mine = at_first(truncate)
    with pytest.raises(UpstreamError, match="ends at byte"):
        build([SERA], out, upstream=root, workers=2, shard_bytes=MEGABYTE)
    assert len(mine) == 1, "this process looked around after a row of its first unit"
    assert not scratch(out)
    until(no_children)


def test_a_board_deals_every_number_once_and_adds_up() -> None:
    board = Board(["a", "b"])
    assert [board.take() for _ in range(3)] == [0, 1, 2]
    board.add("b", 5, 700, 0)
    board.add("b", 1, 50, 1)
    assert board.state() == {"a": (0, 0, 0), "b": (6, 750, 1)}


@pytest.mark.parametrize("given", [None, "4"])
def test_processes_that_build_have_no_threads_for_algebra_unless_the_user_wants_them(
    given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(environment.VARIABLE, raising=False)
    if given is not None:
        monkeypatch.setenv(environment.VARIABLE, given)
    before = dict(os.environ)
    with environment.prepared():
        assert dict(os.environ) == {**before, environment.VARIABLE: given or "1"}
    assert dict(os.environ) == before
