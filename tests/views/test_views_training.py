"""The training views: one set of columns, verbatim steps, the forms that trainers take, nothing that nobody said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest

import sera_swezero
from sera_swezero import ConfigError
from sera_swezero.catalog import CONFIGS
from sera_swezero.errors import POLICY_REASONS
from sera_swezero.request.row_columns import columns
from sera_swezero.request.settle import settle
from sera_swezero.views import VIEWS
from tests.support.raw import DIFF, NUDGE, REVIEW, T2, ZERO, Turn, chat, convert_one, history, line, sera, swe_zero
from tests.support.sample import SETS

TRAINING = [view.name for view in VIEWS.values() if view.trains]
HAS_JSON = hasattr(datasets, "Json")
needs_json = pytest.mark.skipif(not HAS_JSON, reason="Json leaves came with datasets 4.8")
READABLE = [name for name in TRAINING if HAS_JSON or not VIEWS[name].has_json_leaves]

SUBMITS = [
    Turn("Look first.", "I will list the files.", output="calc.py\n"),
    Turn("", "", "str_replace_editor", '{"command":  "view", "path": "/testbed"}', ""),
    Turn("Done, I think.", "## Summary", "submit", "{}", REVIEW),
    Turn("Submit again.", "", "submit", "{}", DIFF),
]
ZERO_TURNS = [
    Turn("Look first.", arguments="ls", output="calc.py"),
    Turn("No command here.", tool=None, output=NUDGE),
    Turn("Hand it in.", arguments="echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT", output=None),
]


def from_sera(turns: list[Turn], view: str, **arguments: Any) -> Any:
    return convert_one(line(sera(history(turns))), T2, view=view, **arguments)


def from_zero(turns: list[Turn], view: str, **arguments: Any) -> Any:
    return convert_one(swe_zero(chat(turns)), ZERO, view=view, **arguments)


def parsed(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(message) for message in row["messages"]]


def nulls(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(nulls, value.values()))
    return sum(map(nulls, value)) if isinstance(value, list) else value is None


# Columns.


@pytest.mark.parametrize("view", READABLE)
def test_every_source_has_the_same_columns(view: str) -> None:
    had = {tuple(columns(settle(name, view=view, upstream="sample")).items()) for name in CONFIGS}
    assert len(had) == 1
    assert list(had.pop())[-4:] == [
        ("instance_id", "string"),
        ("config", "string"),
        ("outcome", "string"),
        ("line_level_recall", "float64?"),
    ]


@pytest.mark.matrix
@pytest.mark.parametrize("view", READABLE)
def test_sources_interleave(view: str) -> None:
    streams = [
        sera_swezero.load_dataset(name, view=view, split="train", streaming=True, upstream="sample")
        for name in ("sera", ZERO, "swe-zero-12m")
    ]
    mixed = datasets.interleave_datasets(streams)
    rows = list(mixed.take(9))
    assert mixed.features == streams[0].features
    assert [row["config"] for row in rows] == ["glm-4.5-air-full-t1", ZERO, "swe-zero-12m"] * 3
    assert not any(row[column] is None for row in rows for column in mixed.features if column != "line_level_recall")


# openai.


@needs_json
def test_an_integer_beyond_64_bits_is_refused_in_json_leaves_and_kept_as_text() -> None:
    def turns(number: str) -> list[Turn]:
        return [Turn("r", arguments=f'{{"command": "ls", "n": {number}}}'), *SUBMITS[2:]]

    for wide in (str(2**64), str(-(2**63) - 1), "9" * 300):
        done = from_sera(turns(wide), "openai")
        assert done.error.reason == "wide_integer"
        assert "another view" in done.error.problem
        assert f'"n": {wide}}}' in from_sera(turns(wide), "hermes").row["messages"][2]["content"]
    for narrow in (str(2**64 - 1), str(-(2**63)), "12345678901234567890.5", '"123456789012345678901234567890"'):
        row = from_sera(turns(narrow), "openai").row
        assert datasets.Json().decode_example(row["messages"][2]) == json.loads(row["messages"][2])


@needs_json
def test_no_null_no_key_and_no_digit_is_invented_on_the_way_through_arrow_and_parquet(tmp_path: Path) -> None:
    for config in SETS:
        written = sera_swezero.SeraSweZero(config_name=f"{config}-openai", upstream="sample")
        shards = written._split_generators(_Streaming())[0].gen_kwargs["shards"]
        rows = [dict(row) for _, row in written._generate_examples(shards)]
        plain = sera_swezero.load_dataset(config, view="openai", split="train", upstream="sample")
        plain.to_parquet(tmp_path / f"{config}.parquet")
        again = datasets.load_dataset("parquet", data_files=str(tmp_path / f"{config}.parquet"), split="train")
        streamed = sera_swezero.load_dataset(config, view="openai", split="train", streaming=True, upstream="sample")
        outside = 0
        for row, *copies in zip(rows, plain, again, streamed, strict=True):
            texts = row["messages"]
            expected = {**row, "messages": parsed(row), "tools": [json.loads(tool) for tool in row["tools"]]}
            assert all(copy == expected for copy in copies)
            outside += nulls([json.loads(text) for text in texts]) - sum(text.count("null") > 0 for text in texts)
            assert nulls(expected["tools"]) == 0
            assert all(
                set(m) <= {*m, "role", "content"} and isinstance(m["content"], str) for m in copies[0]["messages"]
            )
        assert outside <= 0  # a null is only where the model's own text has one


class _Streaming:
    is_streaming = True


@needs_json
def test_floats_keep_their_digits() -> None:
    turns = [Turn("r", arguments='{"command": "ls", "x": 3.141592653589793}'), *SUBMITS[2:]]
    row = from_sera(turns, "openai").row
    features = sera_swezero.SeraSweZero(config_name=f"{T2}-openai", upstream="sample").info.features
    read = features.decode_example(features.encode_example(row))
    assert read["messages"][2]["tool_calls"][0]["function"]["arguments"]["x"] == 3.141592653589793


@pytest.mark.matrix
@pytest.mark.skipif(HAS_JSON, reason="only older versions refuse")
def test_an_old_datasets_refuses_openai_before_it_reads() -> None:
    with pytest.raises(ConfigError, match=r"datasets>=4\.8"):
        sera_swezero.load_dataset("sera-openai", split="train", streaming=True, upstream="sample")


# hermes.


@pytest.mark.matrix
@pytest.mark.parametrize("view", ["hermes", "sharegpt"])
def test_text_views_are_plain_columns_for_any_reader_of_parquet(view: str, tmp_path: Path) -> None:
    rows = sera_swezero.load_dataset(T2, view=view, split="train", upstream="sample")
    rows.to_parquet(tmp_path / "rows.parquet")
    table = pq.read_table(tmp_path / "rows.parquet")
    assert table.to_pylist() == list(rows)
    assert "extension" not in str(table.schema.remove_metadata())
    assert nulls([row[next(iter(row))] for row in table.to_pylist()]) == 0


# sharegpt.


@pytest.mark.parametrize("tag", ["<image>", "<video>", "<audio>"])
def test_placeholders_of_the_client_are_refused_in_sharegpt_alone(tag: str) -> None:
    turns = [Turn("r", arguments="cat index.html", output=f"a page with {tag}"), *ZERO_TURNS[1:]]
    assert from_zero(turns, "sharegpt").error.reason == "literal_tags"
    assert from_zero(turns, "hermes").row is not None


@pytest.mark.parametrize("config", SETS)
def test_no_sharegpt_row_is_one_that_llama_factory_drops(config: str) -> None:
    rows = list(sera_swezero.load_dataset(config, view="sharegpt", split="train", streaming=True, upstream="sample"))
    assert rows
    for row in rows:
        speakers = [turn["from"] for turn in row["conversations"]]
        assert len(speakers) % 2 == 0
        assert set(speakers[::2]) <= {"human", "observation"}
        assert set(speakers[1::2]) <= {"gpt", "function_call"}
        assert speakers[0] == "human"


# All of them.


@pytest.mark.parametrize("view", [*READABLE, "atif"])
def test_a_rollout_without_a_turn_has_nothing_to_train_on(view: str) -> None:
    done = convert_one(swe_zero([], "errored"), ZERO, view=view)
    assert done.error.reason == "no_turns"
    assert "no_turns" in POLICY_REASONS  # a view's matter: on_error="raise" goes on
