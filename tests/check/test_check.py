"""`check` names every defect of a file of rows: where it is, what is there, what would have been right."""

from __future__ import annotations

import json
import random
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sera_swezero.catalog import CONFIGS
from sera_swezero.check import CheckTally, check_paths, contracts
from sera_swezero.errors import ConfigError
from sera_swezero.sources import SOURCES
from sera_swezero.views import VIEWS
from tests.support.processes import python
from tests.support.raw import convert_root, sample_rows
from tests.support.sample import SETS


def rows_of(config, **arguments):
    return convert_root("sample", config, **arguments)[0]


CALL = {"role": "tool_call", "content": '<tool_call>{"name": "bash", "arguments": {"command": "ls"}}</tool_call>'}
MESSAGES = [
    {"role": "system", "content": "rules"},
    {"role": "user", "content": "a task"},
    {"role": "reasoning", "content": "<think>look</think>"},
    CALL,
    {"role": "tool_output", "content": "<tool_response>setup.py\n</tool_response>"},
    {"role": "reasoning", "content": "<think>done</think>"},
    {"role": "answer", "content": "<answer>It works.</answer>"},
]


def sera_row(messages=MESSAGES, **columns):
    row = {
        "messages": json.dumps(messages),
        "instance_id": "tool_10001",
        "teacher": "GLM-4.6",
        "scale": "lite",
        "rollout": "T2",
        "func_name": "f",
        "func_path": "tool/f.py",
        "line_level_recall": 0.5,
    }
    return row | columns


def replaced(index, **changes):
    return [{**message, **changes} if at == index else message for at, message in enumerate(MESSAGES)]


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def problems(*paths, **options):
    return list(check_paths(paths, **options))


# Right files.


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("config", SETS)
def test_rows_of_every_config_and_view_are_right_as_jsonl_and_as_parquet(config, view, tmp_path):
    rows, _ = sample_rows(config, view, "keep")
    assert rows
    schema = contracts()[VIEWS[view].schema(SOURCES[CONFIGS[config].source], CONFIGS[config].origins[0].shape)].schema
    write_jsonl(tmp_path / "rows.jsonl", rows)
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    tally = CheckTally()
    assert problems(tmp_path, tally=tally) == []
    assert tally == CheckTally(files=2, rows={schema: 2 * len(rows)}, bad_rows=0)


def test_rows_behind_a_url_are_checked_like_those_of_a_folder(tmp_path):
    rows = rows_of("glm-4.6-lite-t2")
    rows[3]["teacher"] = "nobody"
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    write_jsonl(tmp_path / "rows.jsonl", rows)
    (tmp_path / ".hidden.jsonl").write_text("[]\n")
    remote = fsspec.filesystem("memory")
    remote.put(f"{tmp_path}/", "/checked/", recursive=True)
    assert problems("memory://checked") == [
        problem._replace(file=f"memory://checked/{Path(problem.file).name}") for problem in problems(tmp_path)
    ]
    assert [problem.row for problem in problems("memory://checked/rows.jsonl")] == [3]


@pytest.mark.parametrize(
    ("url", "found"), [("memory://nowhere/rows.parquet", "nowhere"), ("gopher://a/rows.jsonl", "gopher")]
)
def test_a_url_that_cannot_be_read_is_a_problem(url, found):
    (problem,) = problems(url)
    assert problem.unreadable
    assert found in problem.found


def test_json_leaves_may_come_as_the_objects_that_datasets_hands_out(tmp_path):
    rows = rows_of("glm-4.6-lite-t2", view="openai")[:3]
    objects = [{**row, "messages": [json.loads(text) for text in row["messages"]]} for row in rows]
    del objects[1]["messages"][2]["role"]
    found = problems(write_jsonl(tmp_path / "rows.jsonl", objects))
    assert {(problem.row, problem.path) for problem in found} >= {(1, "$.messages[2].role")}
    assert {problem.row for problem in found} == {1}


def test_lineage_columns_are_known_and_checked(tmp_path):
    rows = rows_of("glm-4.6-lite-t1", lineage=True)[:2]
    rows[1]["source_offset"] = -1
    found = problems(write_jsonl(tmp_path / "rows.jsonl", rows))
    assert [(problem.row, problem.path) for problem in found] == [(1, "$.source_offset")]


# Planted defects, each in the second of three rows.

CALLED = "$.messages[3].content"


def called(text):
    return sera_row(replaced(3, content=f"<tool_call>{text}</tool_call>"))


DEFECTS = {
    "wrong order": (sera_row([*MESSAGES[:2], MESSAGES[3], MESSAGES[2], *MESSAGES[4:]]), "$.messages[2]", "reasoning"),
    "two calls in a row": (sera_row([*MESSAGES[:4], CALL, *MESSAGES[4:]]), "$.messages[4]", "tool_output"),
    "answer twice": (sera_row([*MESSAGES, MESSAGES[-1]]), "$.messages[7]", "nothing"),
    "ends on an output's reasoning and more": (sera_row(MESSAGES[1:]), "$.messages[0]", "system"),
    "missing tag": (sera_row(replaced(2, content="look</think>")), "$.messages[2].content", "<think>...</think>"),
    "newline behind a tag": (sera_row(replaced(2, content="<think>x</think>\n")), "$.messages[2].content", "<think>"),
    "another role's tag": (sera_row(replaced(6, content="<think>x</think>")), "$.messages[6].content", "<answer>"),
    "tool_call that is not JSON": (called("{'name': 'bash'}"), CALLED, '{"name": ..., "arguments": {...}}'),
    "tool_call with NaN": (called('{"name": "bash", "arguments": {"n": NaN}}'), CALLED, "object"),
    "tool_call of a list": (called("[]"), CALLED, "object"),
    "tool_call without arguments": (called('{"name": "bash"}'), f"{CALLED}.arguments", "object"),
    "arguments that are text": (called('{"name": "bash", "arguments": "{}"}'), f"{CALLED}.arguments", "object"),
    "tool_call with an id": (called('{"name": "a", "arguments": {}, "id": 1}'), f"{CALLED}.id", "name, arguments"),
    "wrong role": (sera_row(replaced(2, role="assistant")), "$.messages[2].role", "'reasoning'"),
    "extra key": (sera_row(replaced(2, train=True)), "$.messages[2].train", "role, content"),
    "content that is not text": (sera_row(replaced(1, content=None)), "$.messages[1].content", "string"),
    "message that is not an object": (sera_row([*MESSAGES[:6], "answer"]), "$.messages[6]", "object"),
    "messages not JSON": (sera_row() | {"messages": "[{"}, "$.messages", "JSON text"),
    "messages an object": (sera_row({"role": "system"}), "$.messages", "array"),
    "messages a list already": (sera_row() | {"messages": MESSAGES}, "$.messages", "string"),
    "null where not allowed": (sera_row(func_name=None), "$.func_name", "string"),
    "empty id": (sera_row(instance_id=""), "$.instance_id", "at least 1"),
    "unknown teacher": (sera_row(teacher="GLM-4.6-Air"), "$.teacher", "'GLM-4.6'"),
    "recall above one": (sera_row(line_level_recall=1.01), "$.line_level_recall", "1 or less"),
    "missing column": ({k: v for k, v in sera_row().items() if k != "scale"}, "$.scale", "string"),
    "extra column": (sera_row(source="me"), "$.source", "messages, instance_id"),
}


@pytest.mark.parametrize(("row", "path", "expected"), DEFECTS.values(), ids=DEFECTS)
def test_a_planted_defect_is_found_where_it_is(row, path, expected, tmp_path):
    file = write_jsonl(tmp_path / "rows.jsonl", [sera_row(), row, sera_row()])
    tally = CheckTally()
    found = problems(file, tally=tally)
    assert {problem.row for problem in found} == {1}
    assert path in {problem.path for problem in found}
    assert any(expected in problem.expected for problem in found if problem.path == path)
    assert all(problem.found and problem.file == str(file) for problem in found)
    assert (tally.rows.total(), tally.bad_rows) == (3, 1)


def test_all_problems_of_a_row_are_told_not_just_the_first(tmp_path):
    messages = replaced(2, content="look", train=1)
    messages[3] = {**CALL, "content": "<tool_call>{}</tool_call>"}
    found = problems(write_jsonl(tmp_path / "rows.jsonl", [sera_row([*messages, CALL], teacher="x", func_path=None)]))
    assert {problem.path for problem in found} == {
        "$.teacher",
        "$.func_path",
        "$.messages[2].content",
        "$.messages[2].train",
        "$.messages[3].content.name",
        "$.messages[3].content.arguments",
        "$.messages[7]",
    }


def test_the_end_of_a_swe_zero_row_must_fit_its_exit_status(tmp_path):
    rows = rows_of("swe-zero-1k-32k", view="rectified")
    submitted = next(row for row in rows if row["exit_status"] == "Submitted")
    incomplete = next(row for row in rows if row["exit_status"] == "incomplete")
    wrong = [{**submitted, "exit_status": "incomplete"}, {**incomplete, "exit_status": "Submitted"}]
    found = problems(write_jsonl(tmp_path / "rows.jsonl", [submitted, incomplete, *wrong]))
    assert [problem.row for problem in found] == [2, 3]
    assert "not submitted has no answer" in found[0].expected
    assert "ends on its answer" in found[1].expected


@pytest.mark.parametrize("config", ["glm-4.6-lite-t2", "swe-zero-1k-32k", "swe-zero-12m"])
def test_native_rows_are_held_to_their_order_too(config, tmp_path):
    row = next(row for row in rows_of(config, view="native") if len(row["messages"]) > 5)
    text = isinstance(row["messages"], str)
    messages = json.loads(row["messages"]) if text else row["messages"]
    messages = [messages[1], messages[0], *messages[2:]]
    broken = {**row, "messages": json.dumps(messages) if text else messages}
    found = problems(write_jsonl(tmp_path / "rows.jsonl", [row, broken]))
    assert [problem.row for problem in found] == [1]
    assert "Task" in found[0].found
    assert "System" in found[0].expected


# The file itself.


def test_a_file_that_ends_inside_a_line_is_told(tmp_path):
    file = write_jsonl(tmp_path / "rows.jsonl", [sera_row()] * 3)
    file.write_bytes(file.read_bytes()[:-40])
    (found,) = problems(file)
    assert (found.row, found.path, found.unreadable) == (2, "$", False)
    assert "the file ends inside this line" in found.found


@pytest.mark.parametrize("line", [b"[1]", b"{", b'{"messages": "\xff"}', b'{"a": "\\ud800"}', b'{"a": NaN}', b"null"])
def test_a_line_that_is_no_json_object_does_not_end_the_check(line, tmp_path):
    good = json.dumps(sera_row()).encode()
    (tmp_path / "rows.jsonl").write_bytes(b"\n".join([good, line, b"", good, b""]))
    tally = CheckTally()
    (found,) = problems(tmp_path / "rows.jsonl", tally=tally)
    assert (found.row, found.expected) == (
        1,
        "one JSON object per line" + (", in UTF-8" if line[:1] not in b"[n" else ""),
    )
    assert tally.rows.total() == 3


def test_a_cut_parquet_file_cannot_be_read(tmp_path):
    pq.write_table(pa.Table.from_pylist([sera_row()] * 50), tmp_path / "rows.parquet")
    whole = (tmp_path / "rows.parquet").read_bytes()
    (tmp_path / "rows.parquet").write_bytes(whole[:-100])
    (found,) = problems(tmp_path / "rows.parquet")
    assert found.unreadable
    assert found.row is None
    assert found.expected == "a whole Parquet file"


def test_a_parquet_file_with_a_broken_page_tells_how_far_it_was_read(tmp_path):
    rows = [sera_row(instance_id=f"tool_{number}") for number in range(400)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet", row_group_size=100, compression="zstd")
    start = pq.ParquetFile(tmp_path / "rows.parquet").metadata.row_group(2).column(0).data_page_offset
    broken = bytearray((tmp_path / "rows.parquet").read_bytes())
    broken[start : start + 200] = b"\xff" * 200
    (tmp_path / "rows.parquet").write_bytes(broken)
    found = problems(tmp_path / "rows.parquet")
    assert found[-1].unreadable
    assert "after row" in found[-1].found


@pytest.mark.parametrize(
    ("column", "values", "found", "expected"),
    [
        ("line_level_recall", pa.array(["0.5"]), "a column of string", "float64"),
        ("line_level_recall", pa.array([0.5], pa.float32()), "a column of float", "float64"),
        ("messages", pa.array([MESSAGES]), "a column of messages", "string"),
        ("func_name", pa.nulls(1), "a column of nulls", "string"),
        ("teacher", pa.array([7]), "a column of int64", "string"),
    ],
)
def test_a_parquet_column_of_another_type_is_told_once_for_the_file(column, values, found, expected, tmp_path):
    table = pa.Table.from_pylist([sera_row()])
    table = table.set_column(table.column_names.index(column), column, values)
    pq.write_table(table, tmp_path / "rows.parquet")
    (problem,) = problems(tmp_path / "rows.parquet", kind="rectified-sera")
    assert problem.row is None
    assert not problem.unreadable
    assert (problem.path, problem.found, problem.expected) == (f"$.{column}", found, expected)


def test_missing_and_extra_parquet_columns_are_told_together(tmp_path):
    row = {**sera_row(), "extra": 1}
    del row["scale"]
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "rows.parquet")
    found = problems(tmp_path / "rows.parquet")
    assert [(problem.path, problem.found) for problem in found] == [
        ("$.scale", "no such column"),
        ("$.extra", "an extra column of int64"),
    ]


@pytest.mark.parametrize("nulls", [pa.nulls(2), pa.array([None, None], pa.float64())])
def test_a_nullable_column_may_be_all_nulls_and_text_may_be_large_or_a_dictionary(nulls, tmp_path):
    table = pa.Table.from_pylist([sera_row(), sera_row()])
    table = table.set_column(7, "line_level_recall", nulls)
    table = table.set_column(0, "messages", table["messages"].cast(pa.large_string()))
    table = table.set_column(2, "teacher", table["teacher"].dictionary_encode())
    pq.write_table(table, tmp_path / "rows.parquet")
    assert problems(tmp_path / "rows.parquet") == []


def test_a_null_in_a_parquet_column_is_told_by_row(tmp_path):
    pq.write_table(pa.Table.from_pylist([sera_row(), sera_row(teacher=None)]), tmp_path / "rows.parquet")
    (found,) = problems(tmp_path / "rows.parquet")
    assert (found.row, found.path, found.found, found.expected) == (
        1,
        "$.teacher",
        "null",
        "one of 'GLM-4.5-Air', 'GLM-4.6'",
    )


def test_a_file_of_neither_kind_lists_the_columns_of_all_kinds(tmp_path):
    pq.write_table(pa.table({"prompt": ["a"], "completion": ["b"]}), tmp_path / "rows.parquet")
    (found,) = problems(tmp_path)
    assert found.unreadable
    assert "prompt, completion" in found.found
    assert all(name in found.expected for name in contracts())


@pytest.mark.parametrize("name", ["none", "none.jsonl"])
def test_a_path_that_leads_nowhere_is_named(name, tmp_path):
    (found,) = problems(tmp_path / name)
    assert (found.unreadable, found.found.lower()) in {
        (True, "no such file or folder"),
        (True, "no such file or directory"),
    }


@pytest.mark.parametrize("content", [b"", b"PAR1", b"\x00\x01", b"hello\nworld\n"])
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_what_is_no_such_file_cannot_be_read(content, suffix, tmp_path):
    (tmp_path / f"rows{suffix}").write_bytes(content)
    (found,) = problems(tmp_path / f"rows{suffix}")
    assert found.unreadable


def test_missing_files_other_files_and_empty_folders_cannot_be_read(tmp_path):
    (tmp_path / "rows.csv").write_text("a,b")
    found = problems(tmp_path / "none.jsonl", tmp_path / "rows.csv", tmp_path)
    assert [problem.unreadable for problem in found] == [True] * 3
    assert "No such file" in found[0].found
    assert ".parquet, .jsonl" in found[1].expected
    assert found[2].found == "a folder without rows"


def test_below_a_folder_hidden_files_and_rejected_records_are_left_out(tmp_path):
    for name in (".cache/a.jsonl", "rejected/b.jsonl", "c/rejected-00000.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}\n")
    write_jsonl(tmp_path / "c" / "rows.jsonl", [sera_row()])
    tally = CheckTally()
    assert problems(tmp_path, tally=tally) == []
    assert tally.files == 1


# Which kind.


def test_a_view_or_schema_may_be_forced(tmp_path):
    file = write_jsonl(tmp_path / "rows.jsonl", [sera_row()])
    assert problems(file, kind="rectified") == problems(file, kind="rectified-sera") == []
    paths = {problem.path for problem in problems(file, kind="native-sera")}
    assert {"$.docker_image", "$.teacher"} <= paths
    assert {problem.path for problem in problems(file, kind="native")} == paths
    with pytest.raises(ConfigError, match="rectified-sera"):
        problems(file, kind="sharegpt4")


def test_the_ten_columns_of_swe_zero_are_told_apart_by_what_messages_is(tmp_path):
    tally = CheckTally()
    for view in ("native", "rectified"):
        rows = rows_of("swe-zero-1k-8k", view=view)[:3]
        write_jsonl(tmp_path / f"{view}.jsonl", rows)
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / f"{view}.parquet")
    assert problems(tmp_path, tally=tally) == []
    assert tally.rows == {"native-swe-zero-1k": 6, "rectified-swe-zero": 6}


# Size.


MEASURE = """
import sys
from sera_swezero.build.measure import peak_memory
from sera_swezero.check import CheckTally, check_paths

tally = CheckTally()
assert not list(check_paths([sys.argv[1]], tally=tally))
before = peak_memory()
assert not list(check_paths([sys.argv[2]], tally=tally))
print(tally.rows.total(), peak_memory() - before)
"""


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_memory_does_not_grow_with_the_file(kind, tmp_path):
    # Random text, so that the file is half as large as its rows; one row group, as the published rectified set has it,
    # of pages of 16 rows, because a page is read as a whole.
    chance = random.Random(1)
    rows = [sera_row(replaced(1, content=chance.randbytes(100_000).hex())) for _ in range(500)]
    for name, some in ("small", rows[:40]), ("large", rows):
        if kind == "jsonl":
            write_jsonl(tmp_path / f"{name}.jsonl", some)
        else:
            pq.write_table(
                pa.Table.from_pylist(some), tmp_path / f"{name}.parquet", use_dictionary=False, write_batch_size=16
            )
    small, large = (tmp_path / f"{name}.{kind}" for name in ("small", "large"))
    assert large.stat().st_size > 50e6
    checked, grown = map(int, python("-c", MEASURE, small, large, well=True).stdout.split())
    assert checked == 540
    assert grown < 40e6, "of 100 MB of rows"
