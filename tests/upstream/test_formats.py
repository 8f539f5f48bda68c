"""How the files of each format are cut and read, from every kind of root; and that marks keep their meaning."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sera_swezero.catalog import Origin
from sera_swezero.errors import UpstreamError
from sera_swezero.upstream import (
    Raw,
    Snapshot,
    format_of,
    formats,
    plan_shards,
    row_group_starts,
    shard_reader,
    take_snapshot,
    whole_file,
    window_reader,
)
from sera_swezero.upstream.formats import JSON_LINES, PARQUET, WHOLE_FILE
from sera_swezero.upstream.window_reader import WindowReader
from sera_swezero.upstream.windows import Window, plan_windows
from tests.hub import LoopbackHub
from tests.support.streams import Point, point

__all__ = ["point"]  # a fixture

REPO = "me/runs"


def origin(pattern: str) -> Origin:
    return Origin(name="runs", repo=REPO, source="sera", shape="sera", patterns=(pattern,), rows=0, license="none")


FILES = {
    "a.traj": b'{\n  "info": 1\n}\n',
    "deep/er/b.traj": b'{"info": 2}',
    "deep/empty.traj": b"",
    "deep/big.traj": b"x" * 2000,
    "deep/notes.txt": b"nothing",
}


def local(folder: Path) -> str:
    for path, content in FILES.items():
        (folder / REPO / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / REPO / path).write_bytes(content)
    return str(folder)


def memory(folder: Path) -> str:
    for path, content in FILES.items():
        fsspec.filesystem("memory").pipe(f"/formats{folder}/{REPO}/{path}", content)
    return f"memory://formats{folder}"


def records(snapshot: Snapshot, shard_bytes: int = 64) -> dict[str, Raw]:
    shards = plan_shards(snapshot.files, shard_bytes)
    found = [(shard.file, raw) for shard in shards for raw in shard_reader(snapshot, shard, {})]
    assert len({path for path, _ in found}) == len(found), "every file is one record"
    return dict(found)


def check_whole_files(snapshot: Snapshot) -> None:
    found = records(snapshot)
    assert set(found) == {path for path in FILES if path.endswith(".traj")}, "in any folder"
    assert {raw.offset for raw in found.values()} == {0}
    big = found.pop("deep/big.traj")
    assert (big.data, big.fault) == (b"", "the file has 2000 bytes; a record of at most 1000 bytes was expected")
    assert {path: raw.data for path, raw in found.items()} == {path: FILES[path] for path in found}
    assert plan_shards(snapshot.files, 1) == plan_shards(snapshot.files, 1 << 30), "no file is cut"
    for shard in plan_shards(snapshot.files):
        (raw,) = shard_reader(snapshot, shard, {})
        assert list(shard_reader(snapshot, shard, {}, raw.after)) == [], "nothing follows the record"


@pytest.mark.parametrize("root", [local, memory])
def test_a_whole_file_is_one_record_in_any_folder_below_a_root(
    root: Callable[[Path], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_file, "LONGEST", 1000)
    check_whole_files(take_snapshot([origin("*.traj")], upstream=root(tmp_path)))


def test_a_whole_file_on_the_hub_is_one_record_and_one_request(
    tmp_path: Path, point: Point, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_file, "LONGEST", 1000)
    with LoopbackHub(tmp_path / "hub") as hub:
        hub.add_dataset(REPO, FILES)
        point(hub)
        snapshot = take_snapshot([origin("*.traj")])
        check_whole_files(snapshot)
        hub.request_log.clear()
        records(snapshot)
        assert len(hub.requests(path_matches="/resolve/")) == 2, "none for a file that is empty or too long"


def test_a_whole_file_that_changed_is_an_error(tmp_path: Path) -> None:
    snapshot = take_snapshot([origin("*.traj")], upstream=local(tmp_path))
    (tmp_path / REPO / "a.traj").write_bytes(b"{")
    with pytest.raises(UpstreamError, match=r"me/runs/a\.traj: ends at byte 1 of 16"):
        records(snapshot)


def test_whole_files_are_shuffled_and_resumed(tmp_path: Path) -> None:
    snapshot = take_snapshot([origin("*.traj")], upstream=local(tmp_path))
    windows = plan_windows(plan_shards(snapshot.files), 3, 0)

    def read(window: Window, mark: int = -1) -> list[tuple[str, int]]:
        return [(record.key, record.mark) for record in WindowReader(snapshot, window, lambda _: {}, mark)]

    whole = [read(window) for window in windows]
    assert len({key for rows in whole for key, _ in rows}) == 4
    for window, rows in zip(windows, whole, strict=True):
        for number, (_, mark) in enumerate(rows, 1):
            assert read(window, mark) == rows[number:]


def test_the_suffix_chooses_the_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "_BY_SUFFIX", dict(formats._BY_SUFFIX))
    assert format_of("data/train-00000.parquet") is PARQUET
    assert format_of("rows.jsonl") is format_of("rows.txt") is JSON_LINES
    assert format_of("runs/1.traj.json") is format_of("runs/1.traj") is WHOLE_FILE
    formats.read_as(".log", WHOLE_FILE)
    assert format_of("runs/1.log") is WHOLE_FILE


def test_a_parquet_file_is_cut_at_its_row_groups_and_a_whole_file_asks_planning_for_nothing(tmp_path: Path) -> None:
    folder = tmp_path / REPO / "x"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"n": list(range(40))}), folder / "n.parquet", row_group_size=10)
    (folder / "n.json").write_text("{}")
    snapshot = take_snapshot([origin("*n.*")], upstream=str(tmp_path))
    starts = row_group_starts(snapshot)
    assert set(starts) == {(REPO, "x/n.parquet")}
    shards = [shard for shard in plan_shards(snapshot.files, 1, starts) if shard.file.endswith("parquet")]
    assert [len(list(shard_reader(snapshot, shard, {"n": "int64"}))) for shard in shards] == [10, 10, 10, 10]


MARKS = [(13, 1), (52, 2), (0, 3), (65, 4), (78, 5), (26, 6), (91, 7), (39, 8)]
"""(offset, mark) of the records of a window. Saved states hold such marks."""


@pytest.mark.parametrize("plain_bytes", [0, 1 << 20])
@pytest.mark.parametrize("pass_bytes", [1 << 20, 30, 1])
def test_a_saved_mark_means_the_record_that_it_always_meant(
    tmp_path: Path, pass_bytes: int, plain_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window_reader, "PASS_BYTES", pass_bytes)
    monkeypatch.setattr(window_reader, "_PLAIN_BYTES", plain_bytes)  # records of larger windows wait compressed
    (tmp_path / REPO).mkdir(parents=True)
    lines = (json.dumps({"row": 100 + n}).encode() + b"\n" for n in range(8))
    (tmp_path / REPO / "rows.jsonl").write_bytes(b"".join(lines))
    snapshot = take_snapshot([origin("*.jsonl")], upstream=str(tmp_path))
    (window,) = plan_windows(plan_shards(snapshot.files), 7, 2)

    def read(mark: int = -1) -> list[tuple[int, int]]:
        reader = WindowReader(snapshot, window, lambda _: {}, mark)
        return [(record.raw.offset, record.mark) for record in reader]

    whole = read()
    assert whole == MARKS, "in one pass or in several"
    for number, (_, mark) in enumerate(whole, 1):
        assert read(mark) == whole[number:]
