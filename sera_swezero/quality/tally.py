"""The counts of one set of rows: what every figure, table and plot is made from. Two tallies add up, in any order."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from sera_swezero.core.recall import bin_of
from sera_swezero.quality.row_summary import EDITOR, Looked, command_of
from sera_swezero.quality.spread import Spread
from sera_swezero.request.benchmark_overlap import Benchmark

RECALL_BINS = 20
"""The recall histogram's bins, each 0.05 wide; the last one includes 1.0."""

RECALL_THRESHOLDS = (0.25, 0.5, 0.75, 0.9, 1.0)
"""Recalls from which on rows are counted. The paper's figure keeps 0.5 and above, upstream's code 1, the card's example
0.75."""

_NAME = 80  # characters of a tool's name; a model may make one up of any length


def _milliseconds() -> Spread:
    return Spread(scale=1000)


class Unique(msgspec.Struct):
    """Rows without a near-duplicate before them, by the SWE-ZERO card's definition (`dedup`).

    Unlike every other figure this is of the whole set at once: it cannot be added up from parts.
    """

    rows: int
    corpus: int
    instance: int


class Records(msgspec.Struct):
    """What became of the records that the rows were made from."""

    rows_in: int = 0
    rows_out: int = 0
    filtered: dict[str, int] = {}
    rejected: dict[str, int] = {}


class Tally(msgspec.Struct):
    """Counts over the rows of a set.

    source, view, facts: what the rows are (facts: teacher, scale, rollout; empty where there is no such thing).
    messages: messages of a row, which the SERA card calls turns. turns: the model's turns, which the SWE-ZERO card
    calls so. characters: of all messages of a row. bare_turns, bare_rows: turns without a tool call, rows with such a
    turn; None where the view folds them away. recall: rows by bin. recalled_from: rows by threshold. no_recall: rows
    without one. overlap: rows by how they overlap the benchmark. unique: None where it was not looked for. records,
    conversions: None where nothing tells what the rows were made from.
    """

    source: str
    view: str
    facts: dict[str, str] = {}
    outcomes: dict[str, int] = {}
    messages: Spread = msgspec.field(default_factory=Spread)
    turns: Spread = msgspec.field(default_factory=Spread)
    calls: Spread = msgspec.field(default_factory=Spread)
    characters: Spread = msgspec.field(default_factory=Spread)
    prompt_tokens: Spread = msgspec.field(default_factory=Spread)
    completion_tokens: Spread = msgspec.field(default_factory=Spread)
    duration_sec: Spread = msgspec.field(default_factory=_milliseconds)
    bare_turns: int | None = None
    bare_rows: int | None = None
    roles: dict[str, int] = {}
    tools: dict[str, int] = {}
    editor: dict[str, int] = {}
    recall: list[int] = []
    recalled_from: dict[str, int] = {}
    no_recall: int = 0
    overlap: dict[str, int] = {}
    unique: Unique | None = None
    records: Records | None = None
    conversions: dict[str, int] | None = None

    @property
    def rows(self) -> int:
        """Rows of the set."""
        return self.messages.rows

    def note(self, looked: Looked, benchmark: Benchmark) -> None:
        """Count one row."""
        self.messages.note(len(looked.texts))
        self.turns.note(looked.turns)
        self.characters.note(sum(len(text) for _, text in looked.texts))
        _count(self.outcomes, looked.status)
        for role, text in looked.texts:
            _count(self.roles, role, len(text))
        for name in ("prompt_tokens", "completion_tokens", "duration_sec"):
            if looked.row.get(name) is not None:
                getattr(self, name).note(looked.row[name])
        if looked.bare is not None:
            self.bare_turns = (self.bare_turns or 0) + looked.bare
            self.bare_rows = (self.bare_rows or 0) + (looked.bare > 0)
        self._note_calls(looked)
        self._note_recall(looked.recall)
        how = benchmark.overlap(looked.instance_id, looked.row.get("repo"), looked.trajectory.task)
        if how is not None:
            _count(self.overlap, how)
        conversions = looked.row.get("conversions")
        if conversions:
            self.conversions = self.conversions or {}
            for kind, times in conversions.items():
                _count(self.conversions, kind, times)

    def _note_calls(self, looked: Looked) -> None:
        calls = looked.calls
        self.calls.note(len(calls))
        for call in calls:
            _count(self.tools, call.name[:_NAME])
            if call.name == EDITOR:
                _count(self.editor, (command_of(call) or "none")[:_NAME])

    def _note_recall(self, recall: float | None) -> None:
        if recall is None:
            self.no_recall += 1
            return
        self.recall = self.recall or [0] * RECALL_BINS
        self.recall[bin_of(recall, RECALL_BINS)] += 1
        for threshold in RECALL_THRESHOLDS:
            _count(self.recalled_from, str(threshold), int(recall >= threshold))

    def add(self, other: Tally) -> None:
        """Add the rows of another tally: of the same set, or of another for a total."""
        for name in self.__struct_fields__:
            if name not in {"source", "view", "facts"}:
                setattr(self, name, _sum(getattr(self, name), getattr(other, name)))
        self.unique = None  # not to be had from the parts

    def figures(self) -> dict[str, Any]:
        """Every figure by name, as plain values: what `--json` writes."""
        told = {name: getattr(self, name) for name in self.__struct_fields__}
        told = {name: value.figures() if isinstance(value, Spread) else value for name, value in told.items()}
        return {"rows": self.rows, **msgspec.to_builtins(told)}


def total(tallies: list[Tally]) -> Tally:
    """The tallies of several sets as one."""
    whole = Tally(tallies[0].source, tallies[0].view)
    for tally in tallies:
        whole.add(tally)
    return whole


def _count(counts: dict[str, int], name: str, times: int = 1) -> None:
    counts[name] = counts.get(name, 0) + times


def _sum(one: Any, other: Any) -> Any:
    """The sum of two values of a field; None counts for nothing."""
    if one is None or other is None:
        return msgspec.convert(msgspec.to_builtins(other), type(other)) if one is None else one
    if isinstance(one, Spread):
        one.add(other)
        return one
    if isinstance(one, dict):
        return dict(Counter(one) + Counter(other))
    if isinstance(one, list):
        return [a + b for a, b in zip(one, other, strict=True)] if one and other else list(one or other)
    if isinstance(one, Records):
        return Records(
            *(_sum(a, b) for a, b in zip(msgspec.structs.astuple(one), msgspec.structs.astuple(other), strict=True))
        )
    return one + other


def encode(tally: Tally) -> bytes:
    """A tally as JSON, to be added up elsewhere."""
    return msgspec.json.encode(msgspec.to_builtins(tally, str_keys=True), order="deterministic")


def decode(text: bytes) -> Tally:
    """Read what `encode` wrote. Raises msgspec.DecodeError."""
    return msgspec.json.decode(text, type=Tally)
