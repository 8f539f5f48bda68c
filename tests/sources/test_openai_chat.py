"""Chats in the form of OpenAI's API: what a golden file of one record cannot show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sera_swezero
from sera_swezero.errors import ConfigError
from sera_swezero.request.identity import describe
from sera_swezero.request.settle import settle
from tests.support.raw import convert_root, line, sample_records, trajectory_of

BASH = {"type": "function", "function": {"name": "bash", "parameters": {"type": "object"}}}
CALL = {"id": "a", "type": "function", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}
CHAT: list[dict[str, Any]] = [
    {"role": "system", "content": "You are a helper."},
    {"role": "user", "content": "Look."},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": "calc.py", "tool_call_id": "a"},
    {"role": "assistant", "content": "There is calc.py."},
]


def rows(folder: Path, **arguments: Any) -> list[dict[str, Any]]:
    found = sera_swezero.iter_rows("openai-chat", upstream=folder, view="hermes", **arguments)
    made = list(found)
    assert not found.report.rejected
    return made


def write(folder: Path, row: dict[str, Any]) -> Path:
    folder.mkdir()
    (folder / "runs.jsonl").write_bytes(line(row))
    return folder


def test_tools_come_from_a_file_where_rows_name_none_and_decide_the_rows_by_its_content(tmp_path: Path) -> None:
    folder, tools = write(tmp_path / "runs", {"messages": CHAT}), tmp_path / "tools.json"
    (without,) = rows(folder)
    assert without["messages"][0]["content"] == "You are a helper."
    asked: dict[str, Any] = {"upstream": str(folder), "tools": tools}
    tools.write_text(json.dumps([BASH]), encoding="utf-8")
    (row,) = rows(folder, tools=tools)
    assert '"name": "bash"' in row["messages"][0]["content"]
    first = describe(settle("openai-chat", **asked))
    moved = tools.rename(tmp_path / "elsewhere.json")
    assert describe(settle("openai-chat", **{**asked, "tools": moved})) == first
    tools.write_text(json.dumps([{**BASH, "function": {"name": "other"}}]), encoding="utf-8")
    assert describe(settle("openai-chat", **asked)) != first


def test_tools_of_the_row_go_before_those_of_the_file(tmp_path: Path) -> None:
    tools = tmp_path / "tools.json"
    tools.write_text(json.dumps([{"name": "other"}]), encoding="utf-8")
    folder = write(tmp_path / "runs", {"messages": CHAT, "tools": [BASH]})
    (row,) = rows(folder, tools=tools)
    assert '"name": "bash"' in row["messages"][0]["content"]
    assert "other" not in row["messages"][0]["content"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"name": "bash"}', "it holds a JSON dict"),
        ("[", "Expecting value: line 1 column 2"),
        ('[{"function": {}}]', r"\$\[0\].function.name: nothing: the key is missing; expected string"),
        ('[{"name": "bash", "parameters": []}]', r"\$\[0\].function.parameters: array of 0 items; expected object"),
        (None, "it cannot be read: No such file"),
    ],
)
def test_a_file_of_anything_else_is_refused_at_once(tmp_path: Path, text: str | None, says: str) -> None:
    tools = tmp_path / "tools.json"
    if text is not None:
        tools.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"is not a list of tools \\({says}.*; a JSON list was expected"):
        settle("openai-chat", upstream="sample", tools=tools)


def test_parquet_has_every_member_in_every_row_and_null_stands_for_absent(tmp_path: Path) -> None:
    other = {"id": "b", "type": "function", "function": {"name": "edit", "arguments": {"path": "calc.py"}}}
    first = {"id": "a", "type": "function", "function": {"name": "bash", "arguments": {"command": "ls"}}}
    chat = [*CHAT[:2], {**CHAT[2], "tool_calls": [first, other]}, CHAT[3], {**CHAT[3], "tool_call_id": "b"}, CHAT[4]]
    table = pa.Table.from_pylist([{"log": chat, "tools": [BASH]}])
    assert set(table["log"][0].as_py()[0]) == {"role", "content", "tool_calls", "tool_call_id"}
    (tmp_path / "deep").mkdir()
    pq.write_table(table, tmp_path / "deep" / "train.parquet")
    (row,) = rows(tmp_path, messages_column="log")
    assert row["instance_id"] == "train:0"
    turn = row["messages"][2]["content"]
    assert '{"name": "bash", "arguments": {"command":"ls"}}' in turn
    assert '{"name": "edit", "arguments": {"path":"calc.py"}}' in turn
    assert "null" not in json.dumps(row["messages"])


def test_rows_of_the_view_openai_come_back_as_the_chats_that_they_are(tmp_path: Path) -> None:
    """What one publishes in that view is another's own runs."""
    made = convert_root("sample", "swe-rebench-openhands", view="openai", incomplete="keep")[0]
    kept = [row for row in made if row["outcome"] == "submitted"]
    assert len(kept) > 5
    for row in kept:
        raw: dict[str, Any] = {name: [json.loads(leaf) for leaf in row[name]] for name in ("messages", "tools")}
        raw["exit_status"] = row["outcome"]  # one of them was submitted though no call says so
        (original,) = [
            trajectory_of(record.data, "swe-rebench-openhands")
            for record in sample_records("swe-rebench-openhands")
            if record.data["instance_id"] == row["instance_id"]
        ]
        again = trajectory_of(line(raw), "openai-chat")
        assert (again.system, again.task, again.steps) == (original.system, original.task, original.steps)
