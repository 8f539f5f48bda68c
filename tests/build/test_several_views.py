"""A build in several views: each record is read once, and every file is what a build of its view alone writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sera_swezero.build import manifest
from sera_swezero.build.jobs import plan
from sera_swezero.build.runner import build
from sera_swezero.build.unit_files import STATE
from sera_swezero.build.worker_pool import group
from sera_swezero.catalog import DEFAULT
from sera_swezero.views import VIEWS
from tests.build.conftest import ALL, MEGABYTE, SHARD
from tests.hub import LoopbackHub
from tests.support.built import contents, read_rows
from tests.support.publishing import SERA, sera_root, sera_row
from tests.support.raw import Turn, history, sera
from tests.support.streams import Point, point

__all__ = ["point"]  # a fixture

TWO = ("rectified", "openai")


def one_by_one(names: Sequence[str], out: Path, views: Sequence[str], **arguments: Any) -> Path:
    """Build view after view into one folder."""
    for view in views:
        build(names, out, views=[view], workers=1, **arguments)
    return out


def together(names: Sequence[str], out: Path, views: Sequence[str], **arguments: Any) -> Path:
    """Build all views at once."""
    build(names, out, views=views, workers=1, **arguments)
    return out


def state(out: Path) -> dict[str, bytes]:
    """The entries of finished shards: their counts, and the keys by which a rerun knows them."""
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in (out / STATE).rglob("*.json")}


def inodes(out: Path) -> dict[Path, int]:
    """Which file is behind every name: one that is written again is another one."""
    return {path: path.stat().st_ino for path in out.rglob("*.parquet")}


def saying(arguments: dict[str, Any], reasoning: str = "I look.") -> dict[str, Any]:
    """A raw SERA row whose one call has these arguments."""
    look = Turn(reasoning, "", "bash", json.dumps({"command": "ls", **arguments}))
    return sera(history([look, Turn("Done.", "The fix is in.", "submit", "{}", "diff")]), instance_id="odd")


def test_every_view_of_every_source_is_what_a_build_of_it_alone_writes(tmp_path: Path) -> None:
    views = sorted(VIEWS)
    names = [SERA, *(name for name in ALL if name != DEFAULT)]
    alone = one_by_one(names, tmp_path / "alone", views, upstream="sample", shard_bytes=SHARD, lineage=True)
    both = together(names, tmp_path / "both", views, upstream="sample", shard_bytes=SHARD, lineage=True)
    assert contents(both) == contents(alone)
    assert state(both) == state(alone)
    configs = manifest.read(both).configs
    assert {built.view for built in configs.values()} == set(views)
    assert any(built.report.rejected for built in configs.values())


def test_a_rerun_builds_the_one_view_whose_file_is_gone(tmp_path: Path) -> None:
    out = together([SERA], tmp_path, TWO, upstream="sample", shard_bytes=SHARD)
    expected = contents(out)
    gone = sorted((out / f"{SERA}-openai").iterdir())[1]
    gone.unlink()
    before = inodes(out)
    together([SERA], out, TWO, upstream="sample", shard_bytes=SHARD)
    assert contents(out) == expected
    after = inodes(out)
    again = {path for path in after if after[path] != before.get(path)}
    assert again == {gone, out / "rejected" / gone.relative_to(out)}, "the files of its shard and view, and no others"


def test_each_view_rejects_what_it_alone_cannot_show(tmp_path: Path) -> None:
    rows = [sera_row(1), saying({"n": 2**70}), saying({}, "I say <tool_call> in passing."), {"messages": 5}]
    root = sera_root(tmp_path / "root", rows)
    views = ("rectified", "openai", "hermes")
    out = together([SERA], tmp_path / "both", views, upstream=root)
    assert contents(out) == contents(one_by_one([SERA], tmp_path / "alone", views, upstream=root))
    rejected = {built.view: dict(built.report.rejected) for built in manifest.read(out).configs.values()}
    of_all = {"bad_record": 1}
    assert rejected == {
        "rectified": of_all,
        "openai": of_all | {"wide_integer": 1},
        "hermes": of_all | {"literal_tags": 1},
    }
    kept = {view: read_rows(out / "rejected", name) for view, name in zip(views, names(views), strict=True)}
    assert [row["reason"] for row in kept["openai"]] == ["wide_integer", "bad_record"]
    assert str(2**70).encode() in kept["openai"][0]["raw"]
    assert kept["rectified"] == [row for row in kept["hermes"] if row["reason"] == "bad_record"]


def names(views: Sequence[str]) -> list[str]:
    return [SERA if view == "rectified" else f"{SERA}-{view}" for view in views]


def test_each_view_stops_at_its_own_last_row(tmp_path: Path) -> None:
    wide = [saying({"n": 2**70}) for _ in range(3)]
    rows = [sera_row(1), *wide, *(sera_row(seed) for seed in range(2, 9))]
    root = sera_root(tmp_path / "root", rows)
    views = (*TWO, "steps")
    alone = one_by_one([SERA], tmp_path / "alone", views, upstream=root, max_rows=3)
    out = together([SERA], tmp_path / "both", views, upstream=root, max_rows=3)
    assert contents(out) == contents(alone)
    assert state(out) == state(alone)
    reports = {built.view: str(built.report) for built in manifest.read(out).configs.values()}
    assert reports == {
        "rectified": "3 rows in, 3 out",
        "openai": "6 rows in, 3 out, rejected: 3 wide_integer",
        "steps": "5 rows in, 2 out as 3 rows, rejected: 3 wide_integer",
    }
    found = {name: [row["instance_id"] for row in read_rows(out, name)] for name in names(views)}
    assert found == {
        SERA: ["made_1", "odd", "odd"],
        f"{SERA}-openai": ["made_1", "made_2", "made_3"],
        f"{SERA}-steps": ["made_1", "made_1", "made_2"],
    }


def test_upstream_is_read_once_for_all_views(tmp_path: Path, point: Point) -> None:
    repo = "allenai/Sera-4.6-Lite-T2"
    root = Path(sera_root(tmp_path / "root", [sera_row(seed, 100_000) for seed in range(30)]))

    def sent(views: Sequence[str]) -> int:
        """Bytes of the file that a build reads."""
        with LoopbackHub(tmp_path / f"hub-{len(views)}") as hub:
            hub.add_dataset(repo, root / repo)
            point(hub)
            out = together([SERA], tmp_path / f"out-{len(views)}", views, shard_bytes=MEGABYTE)
            assert len(manifest.read(out).configs) == len(views)
            return sum(one.sent for one in hub.requests("GET", "rows.jsonl"))

    once = sent(["rectified"])
    assert once >= (root / repo / "rows.jsonl").stat().st_size
    assert sent([*TWO, "hermes"]) == once


@pytest.mark.parametrize(("workers", "sizes"), [(1, {2}), (5, {2}), (6, {1})])
def test_views_are_built_together_while_every_process_has_something_to_do(workers: int, sizes: set[int]) -> None:
    jobs = plan([SERA, f"{SERA}-openai"], (), {"upstream": "sample"}, SHARD, None)
    units = [unit for job in jobs for unit in job.units]
    groups = group(units, workers)
    assert len(units) == 10
    assert {len(members) for members in groups} == sizes
    assert sorted(unit.stem for members in groups for unit in members) == sorted(unit.stem for unit in units)
    assert all(len({unit.shards for unit in members}) == 1 for members in groups)


def test_what_differs_in_more_than_the_view_is_read_apart() -> None:
    kept, rejected = (
        [unit for job in plan([SERA], (), {"upstream": "sample", "incomplete": how}, SHARD, None) for unit in job.units]
        for how in ("keep", "reject")
    )
    assert {len(members) for members in group([*kept, *rejected], 1)} == {1}
