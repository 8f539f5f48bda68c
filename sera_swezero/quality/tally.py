"""The counts of one set of rows, from which every figure, table and plot is made. Two tallies add up, in any order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from sera_swezero.build.figures import Figures, added
from sera_swezero.quality.row_summary import EDITOR, RowSummary
from sera_swezero.quality.spread import Distribution
from sera_swezero.report import Report
from sera_swezero.request.benchmark_overlap import Benchmark
from sera_swezero.sources.bash_block import command_of

RECALL_THRESHOLDS = (0.25, 0.5, 0.75, 0.9, 1.0)
"""Thresholds of recall at which rows are counted. The paper's figure keeps rows from 0.5 on, the card's example from
0.75 on, and upstream's code those with 1."""

_NAME = 80  # characters of a tool's name; a model may make one up of any length


class Unique(msgspec.Struct):
    """Rows without a near-duplicate before them, by the SWE-ZERO card's definition (`minhash`).

    Unlike every other figure it is about the whole set at once, and cannot be added up from parts.
    """

    rows: int
    """All rows."""
    corpus: int
    """Rows without a near-duplicate among all rows before them."""
    instance: int
    """Rows without a near-duplicate among the rows of the same instance before them."""


class Tally(Figures, kw_only=True):
    """Counts over the rows of a set."""

    described_by: ClassVar[frozenset[str]] = frozenset({"source", "view", "facts"})

    source: str
    view: str
    facts: dict[str, str] = msgspec.field(default_factory=dict)
    """Teacher, scale and rollout; empty where the set has no such facts."""
    messages: Distribution = msgspec.field(default_factory=Distribution)
    calls: Distribution = msgspec.field(default_factory=Distribution)
    turns: Distribution = msgspec.field(default_factory=Distribution)
    """The model's turns per row, which the SWE-ZERO card calls turns."""
    characters: Distribution = msgspec.field(default_factory=Distribution)
    """Characters of all messages of a row."""
    prompt_tokens: Distribution = msgspec.field(default_factory=Distribution)
    completion_tokens: Distribution = msgspec.field(default_factory=Distribution)
    duration_sec: Distribution = msgspec.field(default_factory=lambda: Distribution(scale=1000))
    bare_turns: int | None = None
    """Turns without a tool call; None where the view folds them away."""
    bare_rows: int | None = None
    """Rows with such a turn."""
    observations: int = 0
    """Observations of tool calls."""
    blocked: int | None = None
    """Observations that say that the harness refused to run the command; None where it never does."""
    roles: dict[str, int] = msgspec.field(default_factory=dict)
    """Characters by the role of their message."""
    tools: dict[str, int] = msgspec.field(default_factory=dict)
    """Calls by tool."""
    editor: dict[str, int] = msgspec.field(default_factory=dict)
    """Calls of the editor by its command."""
    recalled_from: dict[str, int] = msgspec.field(default_factory=dict)
    """Rows by the thresholds that their recall reaches."""
    within_limit: dict[str, int] = msgspec.field(default_factory=dict)
    """What a limit of tokens would keep, as `kept_within` counts it; empty where there is no limit."""
    overlap: dict[str, int] = msgspec.field(default_factory=dict)
    """Rows by how they overlap the benchmark."""
    unique: Unique | None = None
    """None where it was not counted."""
    records: Report | None = None
    """What became of the records; None where nothing says what the rows were made from."""
    conversions: dict[str, int] | None = None
    """How often each kind was needed; None where neither a report nor a column of the rows says so."""

    @property
    def rows(self) -> int:
        """Rows of the set."""
        return self.messages.rows

    def note(self, summary: RowSummary, benchmark: Benchmark) -> None:
        """Count one row."""
        self.note_row(messages=len(summary.texts), calls=len(summary.calls), outcome=summary.outcome)
        self.turns.note(summary.turns)
        self.characters.note(sum(len(text) for _, text in summary.texts))
        for role, text in summary.texts:
            _count(self.roles, role, len(text))
        for name in ("prompt_tokens", "completion_tokens", "duration_sec"):
            if summary.row.get(name) is not None:
                getattr(self, name).note(summary.row[name])
        if summary.bare_turns is not None:
            self.bare_turns = (self.bare_turns or 0) + summary.bare_turns
            self.bare_rows = (self.bare_rows or 0) + (summary.bare_turns > 0)
        self.observations += summary.observations
        self.blocked = added(self.blocked, summary.blocked)
        for call in summary.calls:
            _count(self.tools, call.name[:_NAME])
            if call.name == EDITOR:
                _count(self.editor, (command_of(call.arguments) or "none")[:_NAME])
        self.note_recall(summary.recall)
        overlap = benchmark.overlap(summary.instance_id, summary.row.get("repo"), summary.trajectory.task)
        if overlap is not None:
            _count(self.overlap, overlap)
        if conversions := summary.row.get("conversions"):
            self.conversions = added(conversions, self.conversions)

    def note_recall(self, recall: float | None) -> None:
        """Count the recall of one row; None for a row without one."""
        super().note_recall(recall)
        if recall is not None:
            for threshold in RECALL_THRESHOLDS:
                _count(self.recalled_from, str(threshold), int(recall >= threshold))

    def set_report(self, report: Report) -> None:
        """Take over what became of the records of the set."""
        self.records, self.conversions = report, dict(report.conversions)

    def add(self, other: Figures) -> None:
        """Add the rows of another tally: of the same set, or of another for a total."""
        super().add(other)
        self.unique = None  # cannot be had from the parts

    def figures(self) -> dict[str, Any]:
        """Every figure by name, as plain values: what `--json` writes."""
        own = msgspec.structs.asdict(self).items()
        figures = {name: one.figures() if isinstance(one, Distribution) else one for name, one in own}
        return {"rows": self.rows, **msgspec.to_builtins(figures)}


def total(tallies: list[Tally]) -> Tally:
    """The tallies of several sets as one."""
    whole = Tally(source=tallies[0].source, view=tallies[0].view)
    for tally in tallies:
        whole.add(tally)
    return whole


def most_first(counts: Mapping[str, int], most: int) -> dict[str, int]:
    """The largest counts by name, the largest first; what is beyond `most` of them is summed up as "3 others"."""
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    rest = sum(count for _, count in ordered[most:])
    return {**dict(ordered[:most]), **({f"{len(ordered) - most} others": rest} if rest else {})}


def _count(counts: dict[str, int], name: str, times: int = 1) -> None:
    counts[name] = counts.get(name, 0) + times
