"""Every edge of the upstream files beside what becomes of it, as files that a person reads (tests/golden/README.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sera_swezero.catalog import CONFIGS
from sera_swezero.core.conversions import CONVERSIONS
from sera_swezero.core.system_prompt import preamble
from sera_swezero.core.trajectory import INCOMPLETE, Outcome, Trajectory
from sera_swezero.errors import REASONS
from sera_swezero.request.settle import settle
from sera_swezero.sources import SOURCES
from sera_swezero.sources.swe_zero import system_text
from sera_swezero.views.training import with_tools
from tests.support.golden_files import ROOT, Golden
from tests.support.raw import convert_as, line, problems

VIEWS = ("rectified", "native")
TRAINING = ("openai", "hermes", "sharegpt")
EDGES = sorted(
    (path.parent.name, path.stem)
    for source in SOURCES
    for path in (ROOT / source).glob("*.json")
    if "." not in path.stem
)
IDS = ["/".join(edge) for edge in EDGES]

OF_OTHER_VIEWS = {
    "joined_turns",
    "literal_tags",
    "no_turns",
    "overlong",
    "trailing_observation",
    "truncated",
    "wide_integer",
}
"""Kinds and reasons that neither the rectified nor the native view can give."""


def raw_record(edge: dict[str, Any], source: str) -> bytes | dict[str, Any]:
    """The record as it stands upstream: a line of JSONL for SERA, a row of Parquet for SWE-ZERO."""
    if "line" in edge:
        return str(edge["line"]).encode()
    record = edge["record"]
    if source == "sera":
        if not edge.get("as_it_stands"):
            record = {**record, "messages": json.dumps(record["messages"])}
        return line(record)
    return dict(record)


def readable(value: Any) -> str:
    """JSON for people; escaped where a character would not show."""
    plain = json.dumps(value, indent=2, ensure_ascii=False)
    return (plain if all(c.isprintable() or c == "\n" for c in plain) else json.dumps(value, indent=2)) + "\n"


def shortened(messages: list[dict[str, str]], source: str) -> list[dict[str, str]]:
    """The messages with the parts that are the same in every row cut down to a mark; preamble.txt has them once."""
    if not messages:
        return messages
    first = messages[0]["content"].replace(preamble(SOURCES[source].tools), "(preamble)")
    return [{**messages[0], "content": first.replace(zero_system_text(), "(briefing)")}, *messages[1:]]


def trained(row: dict[str, Any], source: str) -> dict[str, Any]:
    """A training row with its Json leaves as objects, and without the tools and rules that all rows have."""
    tools = with_tools("", SOURCES[source].tools)
    shown = {name: value for name, value in row.items() if name != "tools"}
    if isinstance(row.get("messages", [None])[0], str):
        shown["messages"] = [json.loads(message) for message in row["messages"]]
    text = json.dumps(shown, ensure_ascii=False)
    for same, mark in ((tools, "(tools)"), *((zero_system_text(answer=way), "(briefing)") for way in (False, True))):
        text = text.replace(json.dumps(same, ensure_ascii=False)[1:-1], mark)
    return dict(json.loads(text))


def zero_system_text(*, answer: bool = True) -> str:
    return system_text(Trajectory(None, None, (), Outcome(INCOMPLETE)), answer=answer)


@pytest.mark.parametrize(("source", "name"), EDGES, ids=IDS)
@pytest.mark.parametrize("view", VIEWS + TRAINING)
def test_edge(golden: Golden, source: str, name: str, view: str) -> None:
    edge = json.loads((ROOT / source / f"{name}.json").read_text(encoding="utf-8"))
    asked = settle(edge["config"], view=view, **edge.get("arguments", {}))
    done = convert_as(raw_record(edge, source), asked)
    told: dict[str, Any] = {}
    if done.row is None:
        assert done.error is not None
        told = {"reason": done.error.reason, "problem": done.error.problem, "where": done.error.where}
    else:
        assert problems(done.row, asked) == []
        told["row"] = dict(done.row)
        if view == "rectified":
            messages = json.loads(done.row["messages"])
            # The file shows the list; the column is this text, to the byte.
            assert done.row["messages"] == json.dumps(messages, ensure_ascii=False)
            told["row"]["messages"] = shortened(messages, source)
        elif view in TRAINING:
            told["row"] = trained(done.row, source)
        told["conversions"] = dict(sorted(done.counts.items()))
        told["notes"] = [list(note) for note in done.notes]
    golden(f"{source}/{name}.{view}.json", readable(told))


@pytest.mark.parametrize("source", list(SOURCES))
def test_preamble_that_rows_begin_with(golden: Golden, source: str) -> None:
    text = preamble(SOURCES[source].tools)
    golden(f"{source}/preamble.txt", f"{text}\n\n{zero_system_text()}\n" if source == "swe_zero" else f"{text}\n")


def files(view: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in ROOT.glob(f"*/*.{view}.json")]


def test_every_kind_of_conversion_and_every_reason_of_these_views_has_an_edge() -> None:
    shown = files("rectified")
    assert {kind for one in shown for kind in one.get("conversions", {})} == set(CONVERSIONS) - OF_OTHER_VIEWS
    assert {one["reason"] for one in shown if "reason" in one} == set(REASONS) - OF_OTHER_VIEWS


def test_every_kind_and_reason_of_the_training_views_has_an_edge() -> None:
    shown = [one for view in TRAINING for one in files(view)]
    seen = {kind for one in shown for kind in one.get("conversions", {})} | {one.get("reason") for one in shown}
    assert OF_OTHER_VIEWS - {"overlong", "truncated"} <= seen  # those two ask for a tokenizer: test_length.py


def test_native_rows_are_rejected_where_rectified_ones_are_and_are_upstreams_own() -> None:
    for source, name in EDGES:
        pair = [json.loads((ROOT / source / f"{name}.{view}.json").read_text(encoding="utf-8")) for view in VIEWS]
        assert pair[0].get("reason") == pair[1].get("reason"), f"{source}/{name}"
        edge = json.loads((ROOT / source / f"{name}.json").read_text(encoding="utf-8"))
        if "row" in pair[1] and "mended_surrogate" not in pair[1]["conversions"]:
            row, record = pair[1]["row"], dict(edge["record"])
            if source == "sera" and isinstance(record["messages"], list):
                record["messages"] = json.dumps(record["messages"])
            expected = {column: record.get(column) for column in columns(edge["config"])}
            assert row == expected, f"{source}/{name}"
            assert pair[1]["notes"] == []


def columns(config: str) -> list[str]:
    origin = CONFIGS[config].origins[0]
    return list(SOURCES[origin.source].native_columns[origin.shape])


def test_there_is_no_file_without_its_edge() -> None:
    known = {f"{source}/{name}{end}" for source, name in EDGES for end in (".json", ".rectified.json", ".native.json")}
    known |= {f"{source}/preamble.txt" for source in SOURCES}
    mine = {path.relative_to(ROOT).as_posix() for source in SOURCES for path in Path(ROOT / source).iterdir()}
    others = {name for name in mine if name.count(".") > 1 and name.split(".")[1] not in VIEWS}  # a view's own folder
    assert mine - others == known
