"""What becomes of odd raw records and odd trajectories, as files that a person reads (tests/golden/README.md)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sera_swezero.catalog import CONFIGS
from sera_swezero.core.conversions import CONVERSIONS
from sera_swezero.core.system_prompt import preamble
from sera_swezero.errors import REASONS, RowError
from sera_swezero.request.settle import settle
from sera_swezero.schemas.columns import Column
from sera_swezero.sources import SOURCES
from sera_swezero.views import VIEWS
from tests.support.edges import (
    EDGES,
    VIEW_CASES,
    Edge,
    ViewCase,
    json_of_trajectory,
    readable,
    shared_tools,
    shortened,
    swe_zero_system_text,
)
from tests.support.golden_files import ROOT, Golden
from tests.support.raw import Converted, problems, render, trajectory_of

TRAINING = [view.name for view in VIEWS.values() if view.trains]
LEAVES_OUT = {
    *("content_differs", "dropped_nudge", "dropped_review", "harness_exit", "repeated_visible", "trailing_observation"),
    *("left_out_step", "trimmed_submit"),
}
"""Kinds of conversion whose text the row lacks."""
WITH_TOKENIZER = {"overlong", "template", "truncated"}
"""The reason and the kind that need a tokenizer: tests/views/test_token_limit.py."""


def rejected(error: RowError) -> dict[str, Any]:
    return {"rejected": {"reason": error.reason, "problem": error.problem, "where": error.where}}


def conversions(done: Converted) -> dict[str, Any]:
    """Return how often each kind of conversion was needed, and the texts that the row lacks because of one."""
    texts: dict[str, list[str]] = {}
    for kind, text in sorted(done.notes, key=lambda note: note[0]):
        if kind in LEAVES_OUT:
            texts.setdefault(kind, []).append(text)
    return {"conversions": dict(sorted(done.counts.items())), **({"left_out": texts} if texts else {})}


def upstream_columns(edge: Edge) -> dict[str, Any]:
    """Return the row that the native view gives of a record that needs no repair."""
    assert edge.record is not None
    origin = CONFIGS[edge.config].origins[0]
    columns = SOURCES[origin.source].native_columns[origin.shape]
    record = {"messages": edge.record} if isinstance(edge.record, list) else edge.record
    if edge.file:
        record = {"messages": record.get("history"), "instance_id": edge.file.partition(".")[0], **record}
    return {name: as_column(column, record.get(name)) for name, column in columns.items()}


def as_column(column: Column, value: Any) -> Any:
    """Return a value as the column has it: what is no text as JSON text where text is expected."""
    return json.dumps(value) if column.type == "string" and isinstance(value, list | dict) else value


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: f"{edge.source}/{edge.name}")
def test_edge(golden: Golden, edge: Edge) -> None:
    done, native = edge.convert("rectified"), edge.convert("native")
    name = f"{edge.source}/{edge.name}.out.json"
    if done.error is not None:
        golden(name, readable(rejected(done.error)))
        assert native.error is not None
        assert native.error.reason == done.error.reason
        return
    assert done.row is not None
    assert native.row is not None
    assert problems(done.row, edge.request("rectified")) == []
    assert problems(native.row, edge.request("native")) == []
    # The file shows the messages as a list. The column is the text of that list, to the byte.
    assert done.row["messages"] == json.dumps(json.loads(done.row["messages"]), ensure_ascii=False)
    out = {
        "trajectory": json_of_trajectory(trajectory_of(edge.raw, edge.request("rectified"))),
        "rectified": shortened(done.row, edge.source),
        **conversions(done),
    }
    upstream = upstream_columns(edge)
    if native.row != upstream:
        out["native"] = {name: value for name, value in native.row.items() if value != upstream[name]}
    assert list(native.row) == list(upstream)
    assert set(native.counts) == {"mended_surrogate"} & set(done.counts)
    golden(name, readable(out))


@pytest.mark.parametrize("case", VIEW_CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("view", TRAINING)
def test_view(golden: Golden, view: str, case: ViewCase) -> None:
    request = settle(case.config, view=view, **case.arguments)
    done = render(case.trajectory, request)
    name = f"views/{view}/{case.name}.json"
    if done.error is not None:
        golden(name, readable(rejected(done.error)))
        return
    for row in done.rows:
        assert problems(row, request) == []
    rows = [shortened(row, request.config.source) for row in done.rows]
    shown = {"rows": rows} if request.view.one_turn else {"row": rows[0]}
    golden(name, readable({**shown, **conversions(done)}))


@pytest.mark.parametrize("source", SOURCES)
def test_text_that_all_rows_of_a_source_share(golden: Golden, source: str) -> None:
    shared = [preamble(shared_tools(source))] + [swe_zero_system_text("answer")] * (source == "swe_zero")
    golden(f"{source}/preamble.txt", "\n\n".join(shared) + "\n")


def outcomes(pattern: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in ROOT.glob(pattern)]


def test_every_reason_and_every_kind_of_conversion_has_a_golden_file() -> None:
    files = outcomes("*/*.out.json") + outcomes("views/*/*.json")
    kinds = {kind for file in files for kind in file.get("conversions", {})}
    reasons = {file["rejected"]["reason"] for file in files if "rejected" in file}
    assert kinds == set(CONVERSIONS) - WITH_TOKENIZER
    assert reasons == set(REASONS) - WITH_TOKENIZER


def test_no_golden_file_is_left_over() -> None:
    known = {f"{edge.source}/{edge.name}{end}" for edge in EDGES for end in (".json", ".out.json")}
    known |= {f"views/{folder}/{case.name}.json" for case in VIEW_CASES for folder in ("trajectories", *TRAINING)}
    known |= {f"{source}/preamble.txt" for source in SOURCES}
    files = [path for folder in (*SOURCES, "views") for path in (ROOT / folder).rglob("*.*")]
    assert {path.relative_to(ROOT).as_posix() for path in files} == known
