"""The embedded corpus has upstream's shapes, holds what its `expected.json` says, and comes out the same everywhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sera_swezero.sample import ROOT
from tools.sample_corpus.__main__ import main
from tools.sample_corpus.corpus import EDGES, SEVERAL_IN_LARGE, large, shipped
from tools.sample_corpus.sets import SETS

SERA = [key for key, one in SETS.items() if one.kind == "sera"]
ZERO = [key for key, one in SETS.items() if one.kind == "swe_zero"]
EXPECTED = json.loads((ROOT / "expected.json").read_text(encoding="utf-8"))

REASONS = {"not_json", "bad_record", "bad_messages", "wrong_order", "many_calls", "bad_arguments", "no_submission"}
CONVERSIONS = {
    *("content_differs", "merged_visible", "repeated_visible", "trimmed_submit", "folded_submit", "folded_text"),
    *("dropped_review", "dropped_nudge", "harness_exit", "filled_reasoning", "filled_answer", "answer_from_folded"),
    *("empty_arguments", "off_schema", "unknown_tool", "mended_surrogate", "observation_prefix", "submit_text"),
    "extra_block",
}
SERA_COLUMNS = ["messages", "instance_id", "rollout_patch", "func_name", "func_path", "problem_statement"]
SERA_COLUMNS += ["target_patch", "docker_image"]
MESSAGE_KEYS = {
    "system": ["role", "content", "agent", "message_type"],
    "user": ["role", "content", "agent", "message_type"],
    "assistant": ["role", "content", "thought", "action", "agent", "tool_calls", "message_type"],
    "tool": ["role", "content", "agent", "message_type", "tool_call_ids"],
}
WIDE = {
    **dict.fromkeys(("instance_id", "messages", "repo", "exit_status", "exit_status_detail"), pa.string()),
    **dict.fromkeys(("n_turns", "n_messages", "prompt_tokens", "completion_tokens"), pa.int64()),
    "duration_sec": pa.float64(),
}
NARROW = dict.fromkeys(("instance_id", "repo", "messages", "trajectory_format", "exit_status"), pa.string())
CHAT = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
ZERO_TYPES = {
    "zero_32k": WIDE | {"messages": CHAT},
    "zero_8k": WIDE | {"messages": CHAT},
    "zero_12m": NARROW | {"messages": CHAT, "duration_sec": pa.float64()},
}


def figures(key: str) -> dict[str, Any]:
    return EXPECTED[SETS[key].repo]


def file_of(key: str) -> Path:
    (path,) = (ROOT / SETS[key].repo).glob("*.jsonl")
    return path


@cache
def lines(key: str) -> list[str]:
    return file_of(key).read_text(encoding="utf-8").removesuffix("\n").split("\n")


@cache
def chats(key: str) -> list[dict[str, Any]]:
    return [row for path in parquet_files(ROOT, key) for row in pq.read_table(path).to_pylist()]


def parquet_files(root: Path, key: str) -> list[Path]:
    return sorted((root / SETS[key].repo / "data").glob("*.parquet"))


def plain_rows(key: str) -> list[int]:
    odd = {at for rows in figures(key)["edges"].values() for at in rows}
    return [at for at in range(figures(key)["rows"]) if at not in odd]


def history(line: str) -> list[dict[str, Any]]:
    return json.loads(json.loads(line)["messages"])


# Shapes: rows that are not odd are written as upstream writes all of its rows.


@pytest.mark.parametrize("key", SERA)
def test_a_sera_set_is_one_jsonl_file_named_after_the_set_and_its_rows(key):
    name = SETS[key].repo.split("/Sera-")[1].lower()
    assert file_of(key).name == f"sera-{name}_{len(lines(key))}_string_enriched.jsonl"
    assert file_of(key).read_bytes().endswith(b"}\n")


@pytest.mark.parametrize("key", SERA)
def test_plain_sera_lines_are_what_json_dumps_writes_at_both_levels(key):
    assert len(plain_rows(key)) >= 15
    for at in plain_rows(key):
        row = json.loads(lines(key)[at])
        assert list(row) == SERA_COLUMNS
        assert json.dumps(row) == lines(key)[at]
        assert json.dumps(json.loads(row["messages"])) == row["messages"]
        assert re.fullmatch(r"[a-z]+_\d{5}", row["instance_id"])
        assert row["rollout_patch"].endswith("\n \n")
        assert row["func_name"] in row["problem_statement"] or SETS[key].rollout == "T2"


@pytest.mark.parametrize("key", SERA)
def test_plain_sera_histories_have_upstreams_keys_and_alternate(key):
    for at in plain_rows(key):
        messages = history(lines(key)[at])
        roles = [message["role"] for message in messages]
        assert roles == ["system", "user"] + ["assistant", "tool"] * (len(roles) // 2 - 1)
        for message in messages:
            cached = ["cache_control"] if message in messages[-3::2] else []
            assert list(message) == MESSAGE_KEYS[message["role"]] + cached
            assert message["agent"] == "main"
        for said, heard in zip(messages[2::2], messages[3::2], strict=True):
            (call,) = said["tool_calls"]
            assert list(call) == ["index", "function", "id", "type"]
            assert (call["index"], list(call["function"])) == (-1, ["arguments", "name"])
            assert re.fullmatch("call_[0-9a-f]{24}", call["id"])
            assert heard["tool_call_ids"] == [call["id"]]
            assert said["content"] == said["thought"] != ""
            arguments = call["function"]["arguments"]
            assert json.dumps(json.loads(arguments), ensure_ascii=False) == arguments
            assert [list(part) for part in heard["content"]] == [["type", "text"]]


@pytest.mark.parametrize("key", SERA)
def test_plain_sera_runs_submit_twice_with_work_between_and_end_on_the_patch(key):
    for at in plain_rows(key):
        row = json.loads(lines(key)[at])
        messages = json.loads(row["messages"])
        names = [message["tool_calls"][0]["function"]["name"] for message in messages[2::2]]
        assert names[-3:] == ["submit", "bash", "submit"]
        assert "submit" not in names[:-3]
        assert messages[-1]["content"][0]["text"] == "OBSERVATION:\n" + row["rollout_patch"]
        assert "<diff>\n" + row["rollout_patch"] in messages[-5]["content"][0]["text"]


def test_actions_are_calls_in_shell_form():
    actions = {}
    for at in plain_rows("lite_t1"):
        for message in history(lines("lite_t1")[at])[2::2]:
            function = message["tool_calls"][0]["function"]
            arguments = json.loads(function["arguments"])
            actions[function["name"], arguments.get("command", "")] = message["action"], arguments
    view, arguments = actions["str_replace_editor", "view"]
    start, end = arguments["view_range"]
    assert view == f"str_replace_editor view {arguments['path']}  --view_range {start} {end}"
    assert actions["submit", ""] == ("submit", {})
    replaced = actions["str_replace_editor", "str_replace"][0]
    assert re.match(r"str_replace_editor str_replace \S+   --old_str '.*' --new_str '", replaced, re.DOTALL)
    assert all(action == given["command"] for (tool, _), (action, given) in actions.items() if tool == "bash")


@pytest.mark.parametrize("key", ZERO)
def test_swe_zero_files_have_the_cards_columns_types_and_row_groups(key):
    files = parquet_files(ROOT, key)
    assert [path.name for path in files] == [f"train-{at:05}-of-{len(files):05}.parquet" for at in range(len(files))]
    for path in files:
        schema = pq.read_schema(path)
        assert {field.name: field.type for field in schema} == ZERO_TYPES[key]
        assert schema.names == list(ZERO_TYPES[key])
    groups = [pq.ParquetFile(path).num_row_groups for path in files]
    assert groups == {"zero_32k": [3, 3], "zero_8k": [1], "zero_12m": [3, 3, 3]}[key]


@pytest.mark.parametrize("key", ZERO)
def test_plain_swe_zero_runs_end_as_their_status_says(key):
    for at in plain_rows(key):
        row = chats(key)[at]
        roles = [message["role"] for message in row["messages"]]
        assert roles[:2] == ["system", "user"]
        assert roles[2:] == ["assistant", "user"] * ((len(roles) - 2) // 2) + ["assistant"] * (len(roles) % 2)
        assert all(message["content"].startswith("Observation: ") for message in row["messages"][3::2])
        assert row["exit_status"] == ("Submitted" if roles[-1] == "assistant" else "incomplete")
        assert len(roles) <= (32 if key == "zero_12m" else 62)
        if "n_turns" in row:
            assert (row["n_turns"], row["n_messages"]) == (roles.count("assistant"), len(roles))


def test_as_many_swe_zero_runs_are_submitted_as_on_the_cards():
    share = {key: Counter(row["exit_status"] for row in chats(key)) for key in ZERO}
    assert 45 <= share["zero_32k"]["Submitted"] <= 65
    assert 12 <= share["zero_8k"]["Submitted"] <= 26
    assert 4 <= share["zero_12m"]["Submitted"] <= 12
    assert [share[key]["errored"] for key in ZERO] == [0, 3, 0]
    assert max(Counter(row["instance_id"] for row in chats("zero_12m")).values()) == 32


def test_ids_repeat_across_sets_and_t2_is_asked_for_what_t1_did():
    for first, second in (("full_t1", "full_t2"), ("lite_t1", "lite_t2")):
        done = {row["instance_id"]: row["rollout_patch"] for row in readable(first)}
        pairs = [row for row in readable(second) if row["instance_id"] in done]
        assert len(pairs) > 55
        assert all(row["target_patch"] == done[row["instance_id"]] for row in pairs)
        assert {row["target_patch"] for row in readable(first)} == {"", None}
    ids = [{row["instance_id"] for row in readable(key)} for key in SERA]
    assert len(ids[0] & ids[2]) > 20
    assert ids[1] - ids[0]


def readable(key: str) -> list[dict[str, Any]]:
    """Rows of the set whose line is an object with all columns."""
    skipped = {at for reason in ("not_json", "bad_record") for at in figures(key)["rejected_rows"].get(reason, [])}
    return [json.loads(line) for at, line in enumerate(lines(key)) if at not in skipped]


# Oddities: each stands where expected.json says, and nowhere among plain rows.


@pytest.mark.parametrize("key", SETS)
def test_every_edge_of_the_table_stands_in_the_set_as_often_as_it_says(key):
    wanted = {name: edge.sets[key] for name, edge in EDGES.items() if key in edge.sets}
    assert {name: len(rows) for name, rows in figures(key)["edges"].items()} == wanted
    assert all(edge.description for edge in EDGES.values())


def said(line: str) -> list[str]:
    return [message["thought"] or "" for message in history(line) if "thought" in message]


def calls(line: str) -> list[dict[str, Any]]:
    return [call for message in history(line) for call in message.get("tool_calls") or []]


def names(line: str) -> list[str]:
    """Tools called in order, `text` for a turn without a call."""
    turns = [message for message in history(line) if message["role"] == "assistant"]
    return [turn["tool_calls"][0]["function"]["name"] if turn["tool_calls"] else "text" for turn in turns]


def outputs(line: str) -> list[str]:
    return [
        message["content"] if isinstance(message["content"], str) else message["content"][0]["text"]
        for message in history(line)
        if message["role"] == "tool"
    ]


def parsed(line: str) -> list[Any]:
    found = []
    for call in calls(line):
        try:
            found.append(json.loads(call["function"]["arguments"]))
        except (ValueError, TypeError):
            found.append(None)
    return found


SIGNS = {
    "no_think_tags": lambda line: any(text and "think>" not in text for text in said(line)),
    "unclosed_think": lambda line: any("<think>" in text and "</think>" not in text for text in said(line)),
    "closing_tag_alone": lambda line: any("</think>" in text and "<think>" not in text for text in said(line)),
    "several_think_blocks": lambda line: any(text.count("<think>") == 2 for text in said(line)),
    "no_text": lambda line: "" in said(line),
    "repeated_visible": lambda line: any(re.fullmatch(r"<think>.*(.+)</think>\n\1\n?", text) for text in said(line)),
    "content_differs": lambda line: any(m.get("thought", m["content"]) != m["content"] for m in history(line)),
    "content_is_none": lambda line: any(m["content"] is None for m in history(line)),
    "content_is_list": lambda line: any(
        m["role"] == "assistant" and isinstance(m["content"], list) for m in history(line)
    ),
    "content_is_str_elsewhere": lambda line: isinstance(history(line)[1]["content"], str),
    "thought_missing": lambda line: any(m["role"] == "assistant" and "thought" not in m for m in history(line)),
    "unknown_keys": lambda line: "thinking_blocks" in line,
    "tags_in_observation": lambda line: any("</tool_response>" in text for text in outputs(line)),
    "control_characters": lambda line: any("\0" in text and "\x1b[" in text for text in outputs(line)),
    "odd_unicode": lambda line: any("\u2028" in text for text in outputs(line)),
    "lone_surrogates": lambda line: any(re.search("[\ud800-\udfff]", text) for text in outputs(line)),
    "lone_surrogate_in_column": lambda line: "\udc00" in json.loads(line)["problem_statement"],
    "line_is_not_ascii": lambda line: "\u2028" in line,
    "index_absent": lambda line: any("index" not in call for call in calls(line)),
    "arguments_object": lambda line: any(isinstance(call["function"]["arguments"], dict) for call in calls(line)),
    "empty_arguments_of_submit": lambda line: any(call["function"]["arguments"] is None for call in calls(line)),
    "big_integers": lambda line: any(given and given.get("seed", 0) > 2**64 for given in parsed(line)),
    "unknown_tool": lambda line: bool({"search_web", "Bash"} & set(names(line))),
    "off_schema": lambda line: {"cmd": "ls"} in parsed(line),
    "clipped_observation": lambda line: any(t.startswith("Observation: ") and len(t) > 100_000 for t in outputs(line)),
    "odd_prefixes": lambda line: "OBSERVATION:\n" in outputs(line),
    "1_submits_at_end": lambda line: names(line).count("submit") == 1,
    "2_submits_at_end": lambda line: names(line)[-3:] != ["submit"] * 3 and names(line)[-2:] == ["submit"] * 2,
    "5_submits_at_end": lambda line: names(line)[-5:] == ["submit"] * 5,
    "nested_submits": lambda line: names(line).count("submit") == 4,
    "deeply_nested_submits": lambda line: names(line).count("submit") == 10 and "text" in names(line),
    "no_calls_but_submit": lambda line: names(line) == ["submit"],
    "text_only_turn": lambda line: names(line).count("text") == 2,
    "text_only_end": lambda line: names(line)[-1] == "text",
    "exit_after_review": lambda line: (
        names(line)[-2:] == ["submit", "text"] and said(line)[-1].startswith("Exit due to")
    ),
    "dangling_submit": lambda line: history(line)[-1]["role"] == "assistant",
    "messages_are_list": lambda line: isinstance(json.loads(line)["messages"], list),
    "row_of_many_calls": lambda line: len(calls(line)) > 112,
    "row_over_a_megabyte": lambda line: len(line) > 1_000_000,
    "line_is_text": lambda line: line.startswith("<"),
    "line_is_array": lambda line: line.startswith("["),
    "column_missing": lambda line: "func_path" not in json.loads(line),
    "messages_are_object": lambda line: isinstance(json.loads(json.loads(line)["messages"]), dict),
    "role_unknown": lambda line: "function" in [message["role"] for message in history(line)],
    "no_system_message": lambda line: history(line)[0]["role"] != "system",
    "lost_observation": lambda line: [m["role"] for m in history(line)][2:4] == ["assistant"] * 2,
    "two_observations": lambda line: [m["role"] for m in history(line)][3:5] == ["tool"] * 2,
    "two_calls": lambda line: len(history(line)[2]["tool_calls"]) == 2,
    "arguments_nan": lambda line: any("NaN" in str(call["function"]["arguments"]) for call in calls(line)),
    "no_submit_at_all": lambda line: "submit" not in names(line),
    "dangling_call": lambda line: history(line)[-1]["role"] == "assistant" and names(line)[-1] != "submit",
}


@pytest.mark.parametrize("name", SIGNS)
def test_sera_rows_are_odd_where_the_table_says_and_no_plain_row_is(name):
    sign = SIGNS[name]
    found = [(key, at) for key in SERA for at in figures(key)["edges"].get(name, [])]
    assert len(found) == sum(EDGES[name].sets.values())
    assert [row for row in found if not sign(lines(row[0])[row[1]])] == []
    assert [(key, at) for key in SERA if name != "line_is_text" for at in plain_rows(key) if sign(lines(key)[at])] == []


def turns(row: dict[str, Any]) -> list[str]:
    return [message["content"] for message in row["messages"] if message["role"] == "assistant"]


NUDGE = "Please always provide EXACTLY ONE action in triple backticks."
BLOCK = re.compile(r"```bash\s*\n(.*?)\n```", re.DOTALL)
"""The pattern that upstream's own generator finds commands with."""
ZERO_SIGNS = {
    "zero_no_block": lambda row: any("```" not in text for text in turns(row)),
    "zero_block_of_other_language": lambda row: any("```sh\n" in text for text in turns(row)),
    "zero_unclosed_block": lambda row: any(text.count("```") == 1 for text in turns(row)),
    "zero_two_blocks": lambda row: any(len(BLOCK.findall(text)) == 3 for text in turns(row)),
    "zero_fence_in_heredoc": lambda row: any("```python" in text for text in turns(row)),
    "zero_bare_block": lambda row: any(text.startswith("THOUGHT:\n\n```bash") for text in turns(row)),
    "zero_ends_on_nudge": lambda row: row["messages"][-1]["content"] == NUDGE,
    "zero_errored_before_start": lambda row: row["messages"] == [],
    "zero_errored_at_once": lambda row: [m["role"] for m in row["messages"]] == ["system", "user"],
    "zero_announced_with_more": lambda row: (
        row["exit_status"] == "Submitted" and bool(re.search("(git diff|NOTES.md|EOF)\n```$", turns(row)[-1]))
    ),
    "zero_announced_without_text": lambda row: turns(row)[-1].startswith("```bash\necho COMPLETE_TASK"),
    "zero_announced_at_once": lambda row: len(row["messages"]) == 3,
    "zero_odd_outputs": lambda row: any(m["content"] == "Observation: [command timed out]" for m in row["messages"]),
    "zero_counts_differ": lambda row: row.get("n_messages", len(row["messages"])) != len(row["messages"]),
    "zero_role_unknown": lambda row: "developer" in [m["role"] for m in row["messages"]],
    "zero_hostile_text": lambda row: any("\0" in text for text in turns(row)),
}


@pytest.mark.parametrize("name", ZERO_SIGNS)
def test_swe_zero_rows_are_odd_where_the_table_says_and_no_plain_row_is(name):
    sign = ZERO_SIGNS[name]
    found = [(key, at) for key in ZERO for at in figures(key)["edges"].get(name, [])]
    assert len(found) == sum(EDGES[name].sets.values())
    assert [row for row in found if not sign(chats(row[0])[row[1]])] == []
    assert [(key, at) for key in ZERO for at in plain_rows(key) if sign(chats(key)[at])] == []


@pytest.mark.parametrize("key", ["zero_32k", "zero_8k"])
def test_twins_run_the_commands_of_the_row_before_them(key):
    for at in figures(key)["edges"]["zero_same_commands"]:
        mine, before = ([BLOCK.search(text) for text in turns(chats(key)[row])] for row in (at, at - 1))
        assert [one[1] for one in mine] == [one[1] for one in before]
        assert turns(chats(key)[at]) != turns(chats(key)[at - 1])


# expected.json


@pytest.mark.parametrize("key", SETS)
def test_the_figures_agree_with_the_files_and_with_each_other(key):
    told = figures(key)
    assert told["rows"] == len(lines(key) if key in SERA else chats(key))
    assert told["kept"] == told["rows"] - sum(told["rejected"].values())
    assert {reason: len(rows) for reason, rows in told["rejected_rows"].items()} == told["rejected"]
    assert told["config"] == SETS[key].config
    odd = {at for rows in told["edges"].values() for at in rows}
    assert {at for rows in told["rejected_rows"].values() for at in rows} <= odd


def test_every_reason_and_every_conversion_occurs():
    assert set().union(*(told["rejected"] for told in EXPECTED.values())) == REASONS
    assert set().union(*(told["conversions"] for told in EXPECTED.values())) == CONVERSIONS


@pytest.mark.parametrize("key", SERA)
def test_no_file_begins_or_ends_with_a_rejected_row(key):
    rejected = {at for rows in figures(key)["rejected_rows"].values() for at in rows}
    assert not rejected & {0, figures(key)["rows"] - 1}


@pytest.mark.parametrize("key", SERA)
def test_ids_and_answers_are_those_of_the_rows(key):
    told = figures(key)
    unread = {at for reason in ("not_json", "bad_record") for at in told["rejected_rows"].get(reason, [])}
    for at, (line, name) in enumerate(zip(lines(key), told["ids"], strict=True)):
        if at not in unread:
            assert json.loads(line)["instance_id"] == name
    for at, answer in told["answers"].items():
        assert answer is None or any(answer in text for text in said(json.dumps(whole(lines(key)[int(at)]))))


def whole(line: str) -> dict[str, Any]:
    """The row with `messages` as a text, `thought` filled from `content`: for rows that are odd in either."""
    row = json.loads(line)
    messages = row["messages"] if isinstance(row["messages"], list) else json.loads(row["messages"])
    for message in messages:
        if message["role"] == "assistant" and not message.get("thought"):
            message["thought"] = message["content"]
    return {**row, "messages": json.dumps(messages)}


def test_recalls_are_spread_and_null_where_the_target_has_no_lines():
    for key in ("full_t2", "lite_t2"):
        recalls = figures(key)["recalls"]
        assert len(recalls) == figures(key)["rows"]
        assert {None, 0.0, 0.5, 1.0, 6 / 9} <= set(recalls)
        assert len(set(recalls)) >= 10
        rows = figures(key)["edges"]
        for name in ("patch_empty", "patch_null", "patch_of_modes", "patch_of_blanks"):
            assert {recalls[at] for at in rows[name]} == {None}
        for name, target in (("patch_empty", ""), ("patch_null", None)):
            assert {json.loads(lines(key)[at])["target_patch"] for at in rows[name]} == {target}
        assert {recalls[at] for at in rows["patch_not_found_again"]} == {0.0}
        assert {recalls[at] for at in rows["patch_quirks"]} == {6 / 9}
    assert all("recalls" not in figures(key) for key in ("full_t1", "lite_t1"))


def test_no_visible_text_repeats_its_reasoning_by_chance():
    for key in SERA:
        for plan, _line in shipped(key).rows():
            for turn in plan.turns:
                if turn.text is None and turn.tally.get("merged_visible"):
                    assert not turn.reasoning.endswith(turn.visible)


# Size, sameness, cost of importing


def test_the_corpus_is_small_and_most_of_its_rows_too(tmp_path):
    files = [path for path in ROOT.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 7_000_000
    with zipfile.ZipFile(tmp_path / "corpus.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path)
    assert (tmp_path / "corpus.zip").stat().st_size <= 3_000_000
    sizes = [len(line) for key in SERA for line in lines(key)]
    assert sum(5_000 <= size <= 30_000 for size in sizes) > 0.9 * len(sizes)
    assert 1 <= sum(size > 1_000_000 for size in sizes) <= 2


def test_generating_it_again_gives_the_shipped_files(tmp_path):
    elsewhere = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}
    command = [sys.executable, "-m", "tools.sample_corpus", "--out", str(tmp_path)]
    subprocess.run(command, check=True, env=elsewhere, cwd=ROOT.parents[2])
    mine, theirs = ({path.relative_to(root) for path in root.rglob("*") if path.is_file()} for root in (tmp_path, ROOT))
    assert mine == theirs
    for path in mine:
        if path.suffix == ".parquet":  # its bytes depend on the version of pyarrow
            assert pq.read_table(tmp_path / path).equals(pq.read_table(ROOT / path), check_metadata=False)
        else:
            assert (tmp_path / path).read_bytes() == (ROOT / path).read_bytes(), path


def test_importing_the_sample_loads_nothing_heavy():
    code = (
        "import sys, sera_swezero.sample; print(*{'pyarrow', 'datasets', 'tools.sample_corpus.text'} & {*sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT.parents[2])
    assert run.stdout.strip() == ""


# Large corpora


def test_large_sera_rows_have_the_size_calls_and_compressibility_of_real_ones(tmp_path):
    main(["--out", str(tmp_path), "--rows", "40", "--config", "glm-4.6-lite-t2"])
    (path,) = tmp_path.rglob("*.jsonl")
    raw = path.read_bytes()
    written = raw.decode().splitlines()
    assert path.relative_to(tmp_path).as_posix() == "allenai/Sera-4.6-Lite-T2/sera-4.6-lite-t2_40_string_enriched.jsonl"
    assert len(written) == 40
    assert 150_000 <= len(raw) / 40 <= 230_000
    assert 38 <= sum(len(calls(line)) for line in written) / 40 <= 52
    zstd = pa.Codec("zstd", compression_level=3)
    assert 5 <= len(raw) / len(zstd.compress(raw, asbytes=True)) <= 8.5


@pytest.mark.parametrize("row_bytes", [20_000, 2_000_000])
def test_large_sera_rows_scale(row_bytes, tmp_path):
    main(["--out", str(tmp_path), "--rows", "10", "--repo", "allenai/Sera-4.5A-Full-T1", "--row-bytes", str(row_bytes)])
    (path,) = tmp_path.rglob("*.jsonl")
    assert 0.7 <= path.stat().st_size / 10 / row_bytes <= 1.3


@pytest.mark.parametrize("key", ZERO)
def test_large_swe_zero_rows_have_the_size_of_real_ones(key, tmp_path):
    main(["--out", str(tmp_path), "--rows", "30", "--config", SETS[key].config])
    rows = [row for path in parquet_files(tmp_path, key) for row in pq.read_table(path).to_pylist()]
    sizes = [sum(len(message["content"]) for message in row["messages"]) for row in rows]
    assert len(rows) == 30
    assert 33_000 <= sum(sizes) / 30 <= 55_000
    assert max(len(row["messages"]) for row in rows) <= (32 if key == "zero_12m" else 62)


def test_large_corpora_follow_their_seed_and_pair_t1_with_t2():
    def some(key: str, seed: int, rows: int) -> list[str]:
        return [line for _plan, line in large(key, seed, rows, 20_000, odd=False).rows()]

    assert some("lite_t2", 1, 5) == some("lite_t2", 1, 9)[:5]
    assert set(some("lite_t2", 1, 5)).isdisjoint(some("lite_t2", 2, 5))
    for first, second in zip(some("lite_t1", 1, 5), some("lite_t2", 1, 5), strict=True):
        assert json.loads(first)["rollout_patch"] == json.loads(second)["target_patch"]


def test_large_corpora_take_odd_rows_when_asked_and_tell_them(tmp_path):
    rows = SEVERAL_IN_LARGE * 20
    command = ["--out", str(tmp_path), "--rows", str(rows), "--row-bytes", "20000"]
    main([*command, "--config", "glm-4.6-lite-t1"])
    main([*command, "--config", "glm-4.6-lite-t2", "--edges"])
    told = json.loads((tmp_path / "expected.json").read_text())
    plain, odd = told["allenai/Sera-4.6-Lite-T1"], told["allenai/Sera-4.6-Lite-T2"]
    assert (plain["rows"], plain["kept"], plain["edges"]) == (rows, rows, {})
    assert len(odd["edges"]) == 20
    assert odd["kept"] == rows - sum(odd["rejected"].values()) < rows
    assert plain["conversions"]["folded_submit"] == rows


def test_a_second_run_replaces_the_files_of_the_first(tmp_path):
    for rows in ("12", "3"):
        main(["--out", str(tmp_path), "--rows", rows, "--row-bytes", "20000", "--config", "glm-4.6-lite-t1"])
    (path,) = tmp_path.rglob("*.jsonl")
    assert path.name == "sera-4.6-lite-t1_3_string_enriched.jsonl"


@pytest.mark.parametrize("wrong", [["--rows", "0"], ["--config", "glm"], ["--rows", "2", "--row-bytes", "10"]])
def test_wrong_arguments_are_told_before_anything_is_written(wrong, tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--out", str(tmp_path), *wrong])
    assert wrong[-2] in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
