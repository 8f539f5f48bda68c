"""The golden files' inputs: edges (raw records of a source) and view cases (trajectories), and how results are shown.

tests/golden/README.md says what the files hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from sera_swezero import schemas
from sera_swezero.catalog import CONFIGS
from sera_swezero.core.system_prompt import preamble
from sera_swezero.core.trajectory import INCOMPLETE, Outcome, Step, ToolCall, Tools, Trajectory
from sera_swezero.request.settle import Request, settle
from sera_swezero.sources import SOURCES
from sera_swezero.views import VIEWS
from sera_swezero.views.training import with_tools
from tests.support.golden_files import ROOT
from tests.support.raw import Converted, convert_as, line, render

WIDTH = 120


@dataclass(frozen=True)
class Edge:
    """A raw record with something odd about it."""

    source: str
    name: str
    config: str
    arguments: dict[str, Any]
    record: dict[str, Any] | list[Any] | None
    """The record with its messages as a list; None where `raw` is not JSON of that type."""
    raw: bytes | dict[str, Any]
    """The record as upstream has it: a row of Parquet, or the bytes of a line or of a file."""
    file: str = ""
    """The file that it is in, where that says more than the record."""

    def convert(self, view: str) -> Converted:
        """Convert the record."""
        return convert_as(self.raw, self.request(view), self.file)

    def request(self, view: str) -> Request:
        """Return the request that the edge is for, with another view."""
        return settle(self.config, view=view, upstream="sample", **self.arguments)


@dataclass(frozen=True)
class ViewCase:
    """A trajectory with something odd about it."""

    name: str
    config: str
    arguments: dict[str, Any]
    trajectory: Trajectory


def _edge(path: Path) -> Edge:
    source, edge = path.parent.name, json.loads(path.read_text(encoding="utf-8"))
    record = edge.get("record")
    raw: Any = record
    if record is None:
        raw = edge["line"].encode()
    elif CONFIGS[edge["config"]].origins[0].patterns != ("*.parquet",):
        text = source == "sera" and not edge.get("verbatim")
        raw = line({**record, "messages": json.dumps(record["messages"])} if text else record)
    return Edge(source, path.stem, edge["config"], edge.get("arguments", {}), record, raw, edge.get("file", ""))


EDGES: list[Edge] = [
    _edge(path)
    for source in SOURCES
    for path in sorted((ROOT / source).glob("*.json"))
    if not path.stem.endswith(".out")
]


# --- trajectories as JSON: parts that are empty or absent are left out


def json_of_trajectory(trajectory: Trajectory) -> dict[str, Any]:
    """Write a trajectory down for people."""
    steps = []
    for step in trajectory.steps:
        parts: dict[str, Any] = {name: text for name, text in asdict(step).items() if text and name != "reply"}
        if step.calls:
            parts["calls"] = [_json_of_call(call) for call in step.calls]
        if step.reply is not None:
            parts["reply"] = step.reply
        steps.append(parts)
    return {**asdict(trajectory), "steps": steps, "outcome": asdict(trajectory.outcome)}


def _json_of_call(call: ToolCall) -> dict[str, Any]:
    parts = {name: value for name, value in asdict(call).items() if value or name in {"name", "observation"}}
    return {name: value for name, value in parts.items() if value is not None}


def trajectory_of_json(written: dict[str, Any]) -> Trajectory:
    """Read what `json_of_trajectory` wrote."""
    empty: dict[str, Any] = {"reasoning": "", "visible": ""}
    steps = []
    for step in written["steps"]:
        calls = tuple(ToolCall(**call) for call in step.get("calls", ()))
        steps.append(Step(**{**empty, **step, "calls": calls}))
    outcome = Outcome(**written["outcome"])
    return Trajectory(system=written["system"], task=written["task"], steps=tuple(steps), outcome=outcome)


def _case(path: Path) -> ViewCase:
    case = json.loads(path.read_text(encoding="utf-8"))
    return ViewCase(path.stem, case["config"], case.get("arguments", {}), trajectory_of_json(case["trajectory"]))


VIEW_CASES: list[ViewCase] = [_case(path) for path in sorted((ROOT / "views" / "trajectories").glob("*.json"))]


def golden_rows() -> Iterator[tuple[str, str]]:
    """Yield (name, row as JSON) for every edge in every view and every trajectory in every training view.

    The order is always the same. Instead of a row, a rejected one has its reason.
    """
    for edge in EDGES:
        for view in VIEWS:
            yield f"{edge.source}/{edge.name}/{view}", _row(edge.convert(view))
    for case in VIEW_CASES:
        for view in (view for view in VIEWS.values() if view.trains):
            request = settle(case.config, view=view.name, **case.arguments)
            yield f"views/{case.name}/{view.name}", _row(render(case.trajectory, request))


def _row(done: Converted) -> str:
    return done.error.reason if done.error else "\n".join(map(json.dumps, done.rows))


# --- JSON for people


def readable(value: Any) -> str:
    """JSON with one line per value that fits on a line."""
    return f"{_readable(value, '')}\n"


def _readable(value: Any, indent: str) -> str:
    plain = json.dumps(value, ensure_ascii=False)
    flat = plain if plain.isprintable() else json.dumps(value)  # escaped where a character would not show
    if not value or not isinstance(value, dict | list) or len(indent) + len(flat) <= WIDTH:
        return flat
    inner = f"{indent}  "
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(key)}: {_readable(one, inner)}" for key, one in value.items()]
    else:
        parts = [f"{inner}{_readable(one, inner)}" for one in value]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return f"{opening}\n" + ",\n".join(parts) + f"\n{indent}{closing}"


def swe_zero_system_text(submit: str) -> str:
    """Return the rules for the environment of SWE-ZERO rows."""
    return SOURCES["swe_zero"].system_text(Trajectory(None, None, (), Outcome(INCOMPLETE)), submit)


def shared_tools(source: str) -> Tools:
    """Return the tools of a source whose records need not name any."""
    names = {"sera": "sera", "swe_agent": "sera", "swe_zero": "swe-zero", "mini_swe_agent": "swe-zero"}
    return schemas.tools(f"tools-{names[source]}") if source in names else ()


def marks(source: str) -> dict[str, str]:
    """Text that all rows of a source share -> the mark that stands for it in golden files."""
    tools = shared_tools(source)
    marked = {
        preamble(tools): "(preamble)",
        with_tools("", tools): "(tools)",
        swe_zero_system_text("call"): "(briefing)",
        swe_zero_system_text("answer"): "(briefing: answer)",
    }
    # The shell alone is what some runs have; its text is the beginning of that of all tools.
    marked.setdefault(preamble(tools[:1]), "(preamble: bash)")
    marked.setdefault(with_tools("", tools[:1]), "(tools: bash)")
    marked.pop("", None)
    return marked


def shortened(row: dict[str, Any], source: str) -> dict[str, Any]:
    """Return a row with its messages decoded, without its tools and without the text that all rows share."""
    decoded = {name: value for name, value in row.items() if name != "tools"}
    for name in {"messages", "prompt", "completion"} & row.keys():
        messages = row[name]
        if isinstance(messages, str):  # rectified: the column is JSON text
            decoded[name] = json.loads(messages)
        elif messages and isinstance(messages[0], str):  # openai, steps: each message is
            decoded[name] = [json.loads(message) for message in messages]
    text = json.dumps(decoded, ensure_ascii=False)
    for same, mark in marks(source).items():
        text = text.replace(json.dumps(same, ensure_ascii=False)[1:-1], mark)
    return dict(json.loads(text))
