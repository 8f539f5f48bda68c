"""`sera-swezero export`: what is written, and that the readers of the formats find the same in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import datasets
import pytest
from typer.testing import CliRunner

import sera_swezero
from sera_swezero.cli.app import app
from tests.support.sample import SETS

CONFIG = "open-swe-traces"
WIDE = re.compile(r"(?<=[:\[ ])\d{21,}")
"""An integer beyond 64 bits, outside a text."""


def command(*words: str | Path) -> Any:
    return CliRunner().invoke(app, ["export", *map(str, words), "--upstream", "sample"])


def rows(config: str = CONFIG) -> list[dict[str, Any]]:
    return list(sera_swezero.iter_rows(config, view="atif", upstream="sample"))


def test_one_file_per_row_named_by_number_and_id(tmp_path: Path) -> None:
    done = command(CONFIG, "--out", tmp_path / "files")
    assert done.exit_code == 0, done.output
    files = sorted((tmp_path / "files").iterdir())
    assert done.stdout == f"{tmp_path / 'files'}: 13 files; 13 rows in, 13 out\n"
    assert [path.name for path in files] == [
        f"{number:05}-{row['trajectory_id']}.json" for number, row in enumerate(rows())
    ]
    assert [json.loads(path.read_text(encoding="utf-8")) for path in files] == [
        json.loads(row["trajectory"]) for row in rows()
    ]


def test_the_first_rows_alone_and_the_arguments_of_the_config(tmp_path: Path) -> None:
    done = command(CONFIG, "--out", tmp_path / "a", "--rows", "12", "--incomplete", "reject", "--json")
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "a").iterdir())) == 12
    assert json.loads(done.stdout) == {"files": 12, "rejected": {"no_submission": 1}}
    done = command(CONFIG, "--out", tmp_path / "b", "--rows", "3")
    assert done.stdout == f"{tmp_path / 'b'}: 3 files; 3 rows in, 3 out\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--out", "full"), "full holds files already; a new or an empty folder was expected"),
        (("--out", "new", "--format", "xml"), "format 'xml'; one of 'atif', 'pi' was expected"),
        (("--out", "full/file"), "full/file is a file; the path of a folder was expected"),
    ],
)
def test_what_cannot_be_done_says_why(
    words: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("mine", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert says in str(command(CONFIG, *words).exception)
    assert (tmp_path / "full" / "file").read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "new").exists()


def test_a_session_of_pi_has_the_lines_of_the_format(tmp_path: Path) -> None:
    assert command(CONFIG, "--out", tmp_path / "files", "--format", "pi", "--rows", "1").exit_code == 0
    (path,) = (tmp_path / "files").iterdir()
    text = path.read_text(encoding="utf-8")
    assert text.isascii()
    header, *entries = map(json.loads, text.splitlines())
    assert header["type"] == "session"
    assert header["version"] == 3
    assert header["id"] == rows()[0]["trajectory_id"]
    assert [entry["parentId"] for entry in entries] == [None, *(entry["id"] for entry in entries[:-1])]
    roles = [entry["message"]["role"] for entry in entries if entry["type"] == "message"]
    assert roles[:3] == ["user", "assistant", "toolResult"]
    kinds = {part["type"] for entry in entries if "message" in entry for part in entry["message"]["content"]}
    assert kinds <= {"text", "thinking", "toolCall"}


def test_an_integer_beyond_64_bits_is_for_atif_alone(tmp_path: Path) -> None:
    config = "glm-4.6-lite-t2"
    wide = [row for row in rows(config) if WIDE.search(row["trajectory"])]
    assert wide
    done = {kind: command(config, "--out", tmp_path / kind, "--format", kind) for kind in ("atif", "pi")}
    counts = {kind: len(list((tmp_path / kind).iterdir())) for kind in done}
    assert counts == {"atif": len(rows(config)), "pi": len(rows(config)) - len(wide)}
    assert f"{len(wide)} wide_integer" in done["pi"].stdout
    assert "wide_integer" not in done["atif"].stdout


def decoded(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments as teich gives them: a text that is itself a JSON array or object becomes one."""
    return {
        name: json.loads(value)
        if isinstance(value, str) and value[:1] in ("[", "{") and value[-1:] in ("]", "}")
        else value
        for name, value in arguments.items()
    }


def expected(row: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What a reader of Pi's sessions makes of a row: (role, text, reasoning, calls), all texts stripped."""
    found: list[tuple[Any, ...]] = []
    for step in json.loads(row["trajectory"])["steps"]:
        role = "assistant" if step["source"] == "agent" else step["source"]
        calls = [
            (one["tool_call_id"], one["function_name"], decoded(one["arguments"])) for one in step.get("tool_calls", ())
        ]
        said = (step["message"].strip(), step.get("reasoning_content", "").strip(), calls)
        if role == "user" or any(said):  # else there is nothing to see
            found.append((role, *said))
        results = step.get("observation", {}).get("results", ())
        found += [("tool", result["content"].strip(), "", []) for result in results]
    return found


def read_back(messages: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (
            message["role"],
            message.get("content") or "",
            message.get("reasoning_content") or "",
            [
                (call["id"], call["function"]["name"], call["function"]["arguments"])
                for call in message.get("tool_calls") or ()
            ],
        )
        for message in messages
    ]


@pytest.mark.atif
@pytest.mark.parametrize("config", SETS)
def test_sessions_hold_the_same_messages_and_calls_for_teich_and_datasets(config: str, tmp_path: Path) -> None:
    from teich import convert_traces_to_training_data

    assert command(config, "--out", tmp_path / "files", "--format", "pi").exit_code == 0
    files = sorted((tmp_path / "files").iterdir())
    held = [row for row in rows(config) if not WIDE.search(row["trajectory"])]
    assert len(files) == len(held)
    wanted = [expected(row) for row in held]
    examples = [convert_traces_to_training_data(path) for path in files]
    assert [read_back(example["messages"]) for (example,) in examples] == wanted
    loaded = datasets.load_dataset(
        "json", data_files=[str(path) for path in files], split="train", cache_dir=str(tmp_path / "cache")
    )
    assert [read_back(row["messages"]) for row in loaded] == wanted
    assert set(loaded["harness"]) == {"pi"}
    tools = [json.loads(row["trajectory"])["agent"].get("tool_definitions", []) for row in held]
    for row, own in zip(loaded, tools, strict=True):
        assert {tool["function"]["name"] for tool in own} <= {tool["function"]["name"] for tool in row["tools"]}
