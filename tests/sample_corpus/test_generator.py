"""The embedded corpus has upstream's shapes and can be made again; large corpora have the size of real ones."""

from __future__ import annotations

import json
import os
import re
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sera_swezero.sample import ROOT
from tests.support.processes import python
from tools.sample_corpus.__main__ import main
from tools.sample_corpus.corpus import large, shipped
from tools.sample_corpus.sets import SETS

SERA = [key for key, one in SETS.items() if one.kind == "sera"]
SWE_ZERO = [key for key, one in SETS.items() if one.kind == "swe_zero"]

SERA_COLUMNS = ["messages", "instance_id", "rollout_patch", "func_name", "func_path", "problem_statement"]
SERA_COLUMNS += ["target_patch", "docker_image"]
MESSAGE_KEYS = {
    "system": ["role", "content", "agent", "message_type"],
    "user": ["role", "content", "agent", "message_type"],
    "assistant": ["role", "content", "thought", "action", "agent", "tool_calls", "message_type"],
    "tool": ["role", "content", "agent", "message_type", "tool_call_ids"],
}
CHAT = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
COLUMNS_1K = [
    *(("instance_id", pa.string()), ("messages", CHAT), ("repo", pa.string()), ("exit_status", pa.string())),
    *(("exit_status_detail", pa.string()), ("n_turns", pa.int64()), ("n_messages", pa.int64())),
    *(("prompt_tokens", pa.int64()), ("completion_tokens", pa.int64()), ("duration_sec", pa.float64())),
]
COLUMNS_12M = [
    *(("instance_id", pa.string()), ("repo", pa.string()), ("messages", CHAT), ("trajectory_format", pa.string())),
    *(("exit_status", pa.string()), ("duration_sec", pa.float64())),
]


@cache
def lines(key: str) -> list[str]:
    (path,) = (ROOT / SETS[key].repo).glob("*.jsonl")
    return path.read_text(encoding="utf-8").removesuffix("\n").split("\n")


def parquet_files(root: Path, key: str) -> list[Path]:
    return sorted((root / SETS[key].repo / "data").glob("*.parquet"))


@cache
def chats(key: str) -> list[dict[str, Any]]:
    return [row for path in parquet_files(ROOT, key) for row in pq.read_table(path).to_pylist()]


def plain(key: str, rows: list[Any]) -> list[Any]:
    """Return the rows that are not odd: these are written as upstream writes all of its rows."""
    edge = shipped(key).edge
    return [row for at, row in enumerate(rows) if edge(at) is None]


def test_generating_it_again_gives_the_embedded_files(tmp_path: Path) -> None:
    elsewhere = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}
    python("-m", "tools.sample_corpus", "--out", tmp_path, env=elsewhere, well=True)
    mine, theirs = ({path.relative_to(root) for path in root.rglob("*") if path.is_file()} for root in (tmp_path, ROOT))
    assert mine == theirs
    for path in mine:
        if path.suffix == ".parquet":  # its bytes depend on the version of pyarrow
            assert pq.read_table(tmp_path / path).equals(pq.read_table(ROOT / path), check_metadata=False)
        else:
            assert (tmp_path / path).read_bytes() == (ROOT / path).read_bytes(), path


def test_the_corpus_is_small(tmp_path: Path) -> None:
    files = [path for path in ROOT.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 7_500_000
    with zipfile.ZipFile(tmp_path / "corpus.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path)
    assert (tmp_path / "corpus.zip").stat().st_size <= 3_000_000


@pytest.mark.parametrize("key", SERA)
def test_plain_sera_rows_have_upstreams_shape(key: str) -> None:
    rows = plain(key, lines(key))
    assert rows
    for line in rows:
        row = json.loads(line)
        assert list(row) == SERA_COLUMNS + (["source"] if SETS[key].joins else [])
        messages = json.loads(row["messages"])
        assert (json.dumps(row), json.dumps(messages)) == (line, row["messages"])
        roles = [message["role"] for message in messages]
        assert roles == ["system", "user"] + ["assistant", "tool"] * (len(roles) // 2 - 1)
        for message in messages:
            cached = ["cache_control"] if message in messages[-3::2] else []
            assert list(message) == MESSAGE_KEYS[message["role"]] + cached
        for turn, reply in zip(messages[2::2], messages[3::2], strict=True):
            (call,) = turn["tool_calls"]
            assert (list(call), list(call["function"])) == (["index", "function", "id", "type"], ["arguments", "name"])
            assert re.fullmatch("call_[0-9a-f]{24}", call["id"])
            assert reply["tool_call_ids"] == [call["id"]]
            assert turn["content"] == turn["thought"] != ""
        names = [turn["tool_calls"][0]["function"]["name"] for turn in messages[2::2]]
        assert names[-3:] == ["submit", "bash", "submit"]
        assert messages[-1]["content"][0]["text"] == "OBSERVATION:\n" + row["rollout_patch"]


@pytest.mark.parametrize(("first", "second"), [("full_t1", "full_t2"), ("lite_t1", "lite_t2")])
def test_second_rollouts_are_asked_for_what_first_ones_did(first: str, second: str) -> None:
    done = {row["instance_id"]: row["rollout_patch"] for row in map(json.loads, plain(first, lines(first)))}
    pairs = [row for row in map(json.loads, plain(second, lines(second))) if row["instance_id"] in done]
    assert pairs
    assert all(row["target_patch"] == done[row["instance_id"]] for row in pairs)


@pytest.mark.parametrize("key", SWE_ZERO)
def test_swe_zero_files_have_the_cards_columns_and_row_groups(key: str) -> None:
    files = parquet_files(ROOT, key)
    for path in files:
        assert pq.read_schema(path).equals(pa.schema(COLUMNS_12M if key == "zero_12m" else COLUMNS_1K))
    groups = [pq.ParquetFile(path).num_row_groups for path in files]
    assert groups == {"zero_32k": [3, 3], "zero_12m": [3, 3, 3]}.get(key, [1])


@pytest.mark.parametrize("key", SWE_ZERO)
def test_plain_swe_zero_runs_end_as_their_status_says(key: str) -> None:
    for row in plain(key, chats(key)):
        roles = [message["role"] for message in row["messages"]]
        assert roles[:2] == ["system", "user"]
        assert roles[2:] == ["assistant", "user"] * ((len(roles) - 2) // 2) + ["assistant"] * (len(roles) % 2)
        assert all(message["content"].startswith("Observation: ") for message in row["messages"][3::2])
        assert row["exit_status"] == ("Submitted" if roles[-1] == "assistant" else "incomplete")
        assert row.get("n_messages", len(roles)) == len(roles)


def test_large_sera_rows_have_the_size_calls_and_compressibility_of_real_ones(tmp_path: Path) -> None:
    main(["--out", str(tmp_path), "--rows", "40", "--config", "glm-4.6-lite-t2"])
    (path,) = tmp_path.rglob("*.jsonl")
    raw = path.read_bytes()
    assert path.relative_to(tmp_path).as_posix() == "allenai/Sera-4.6-Lite-T2/sera-4.6-lite-t2_40_string_enriched.jsonl"
    assert raw.count(b"\n") == 40
    assert 150_000 <= len(raw) / 40 <= 230_000
    assert 38 <= raw.count(rb"\"tool_calls\": [") / 40 <= 52
    zstd = pa.Codec("zstd", compression_level=3)
    assert 5 <= len(raw) / len(zstd.compress(raw, asbytes=True)) <= 8.5


@pytest.mark.parametrize("key", SWE_ZERO)
def test_large_swe_zero_rows_have_the_size_of_real_ones(key: str) -> None:
    rows = list(large(key, 0, 30, None, odd=False).rows())
    assert len(rows) == 30
    assert 33_000 <= sum(len(message["content"]) for row in rows for message in row["messages"]) / 30 <= 55_000
    assert max(len(row["messages"]) for row in rows) <= (32 if key == "zero_12m" else 62)


def test_large_corpora_follow_their_seed_and_pair_first_with_second_rollouts() -> None:
    def some(key: str, seed: int, rows: int) -> list[str]:
        return list(large(key, seed, rows, 20_000, odd=False).rows())

    assert some("lite_t2", 1, 5) == some("lite_t2", 1, 9)[:5]
    assert set(some("lite_t2", 1, 5)).isdisjoint(some("lite_t2", 2, 5))
    for first, second in zip(some("lite_t1", 1, 5), some("lite_t2", 1, 5), strict=True):
        assert json.loads(first)["rollout_patch"] == json.loads(second)["target_patch"]
