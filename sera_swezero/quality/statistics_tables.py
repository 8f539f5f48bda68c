"""The cards' tables, from tallies: titles, headers and cells as text, for a terminal, a page, Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from sera_swezero.core.conversions import CONVERSIONS
from sera_swezero.core.trajectory import ERRORED, EXITED, INCOMPLETE, OTHER, STATUSES, SUBMITTED
from sera_swezero.errors import REASONS
from sera_swezero.quality.collect import NOT_IN_THE_DATA, Statistics
from sera_swezero.quality.spread import QUANTILES, Spread
from sera_swezero.quality.tally import RECALL_BINS, RECALL_THRESHOLDS, Tally
from sera_swezero.request.benchmark_overlap import REASONS as OVERLAPS
from sera_swezero.request.filters import FILTERS

_LINES = 25  # of a table of counts; a model may call any number of tools that there are not

NONE = "-"
"""Stands where the rows do not tell a figure."""


@dataclass(frozen=True)
class Table:
    """A table.

    words: how many of its first columns are words, set on the left; the others are numbers. note: what must be said.
    """

    title: str
    header: list[str]
    rows: list[list[str]]
    words: int = 1
    note: str = ""

    def markdown(self) -> str:
        """The table as GitHub and the hub render it."""
        marks = [":--" if i < self.words else "--:" for i in range(len(self.header))]
        lines = [f"| {' | '.join(row)} |" for row in [self.header, marks, *self.rows]]
        return "\n".join(lines)


def number(value: float | None, digits: int = 1) -> str:
    """A number as a person reads it: 1,234 or 12.3, the dash where there is none."""
    if value is None:
        return NONE
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}f}"


def share(count: int | None, of: int) -> str:
    """A count and its share: 486 (48.6%)."""
    if count is None:
        return NONE
    return f"{count:,} ({count / of:.1%})" if of else f"{count:,}"


def tables(statistics: Statistics, versus: Statistics | None = None) -> list[Table]:
    """Every table that the rows have something to say in, in reading order; first, where given, a comparison."""
    made = [table for make in _TABLES for table in make(statistics)]
    if versus is not None:
        made = [compare(statistics, versus), *(table for table in made if table.title != _ROLLOUTS)]
    return [table for table in made if table.rows]


def compare(one: Statistics, other: Statistics) -> Table:
    """The card's comparison of two sets of rollouts, as its 8k-against-32k table: a figure a line, a set a column."""
    left, right = one.total, other.total
    pairs = [(name, figure(left), figure(right)) for name, figure in _CARD.items()]
    rows = [[name, a, b] for name, a, b in pairs if {a, b} != {NONE}]
    return Table(f"{one.name} and {other.name}", ["", one.name, other.name], rows, note=_note(left, right))


_CARD: dict[str, Callable[[Tally], str]] = {
    "rollouts": lambda t: number(t.rows),
    "submitted": lambda t: share(t.outcomes.get(SUBMITTED, 0), t.rows),
    "incomplete": lambda t: share(t.outcomes.get(INCOMPLETE, 0), t.rows),
    "errored": lambda t: share(t.outcomes.get(ERRORED, 0), t.rows),
    "otherwise ended": lambda t: share(t.outcomes.get(OTHER, 0) + t.outcomes.get(EXITED, 0), t.rows),
    "mean turns": lambda t: number(t.turns.mean),
    "mean tool calls": lambda t: number(t.calls.mean),
    "mean prompt tokens": lambda t: number(t.prompt_tokens.mean),
    "mean completion tokens": lambda t: number(t.completion_tokens.mean),
    "all completion tokens": lambda t: number(t.completion_tokens.total if t.completion_tokens.rows else None),
    "mean duration (s)": lambda t: number(t.duration_sec.mean),
    "turns without a block": lambda t: share(t.bare_turns, t.calls.total + (t.bare_turns or 0)),
    "rollouts with such a turn": lambda t: share(t.bare_rows, t.rows),
    "unique corpus-wide": lambda t: share(t.unique.corpus if t.unique else None, t.rows),
    "unique within their instance": lambda t: share(t.unique.instance if t.unique else None, t.rows),
}
"""The SWE-ZERO card's figures."""


_ROLLOUTS = "Rollouts"


def _note(*tallies: Tally) -> str:
    told = [f"On the card but in no column: {', '.join(NOT_IN_THE_DATA)}."]
    if any(tally.unique for tally in tallies):
        told.append("Unique: MinHash Jaccard below 0.5 to every kept row before it.")
    if any(tally.unique and tally.view != "native" for tally in tallies):
        told.append("Rectified rows lack the submit command, so the card's own uniqueness is that of the native view.")
    return " ".join(told)


def _swe_zero(statistics: Statistics) -> Iterable[Table]:
    rollouts = {name: tally for name, tally in statistics.sets.items() if tally.unique or tally.duration_sec.rows}
    rows = [[name, *(figure(tally) for tally in rollouts.values())] for name, figure in _CARD.items()]
    rows = [row for row in rows if set(row[1:]) - {NONE}] if rollouts else []
    yield Table(_ROLLOUTS, ["", *rollouts], rows, note=_note(*rollouts.values()))


def _sera(statistics: Statistics) -> Iterable[Table]:
    sera = {name: tally for name, tally in statistics.sets.items() if tally.facts}
    header = ["teacher", "scale", "rollout", "rows"]
    header += [f"{what} {which}" for what in ("turns", "calls") for which in ("min", "mean", "max")]
    rows = [[*(tally.facts[key] for key in header[:3]), *_least_mean_most(tally)] for tally in sera.values()]
    if len(sera) > 1:
        rows.append(["all", "", "", *_least_mean_most(statistics.total)])
    yield Table("Rows by teacher, scale and rollout", header, rows, 3, "Turns are messages of a row, as on the card.")


def _least_mean_most(tally: Tally) -> list[str]:
    told = [number(tally.rows)]
    for spread in (tally.messages, tally.calls):
        told += [number(spread.least), number(spread.mean), number(spread.most)]
    return told


def _outcomes(statistics: Statistics) -> Iterable[Table]:
    met = [status for status in STATUSES if any(tally.outcomes.get(status) for tally in statistics.sets.values())]
    rows = [
        [name, number(tally.rows), *(share(tally.outcomes.get(status, 0), tally.rows) for status in met)]
        for name, tally in statistics.sets.items()
    ]
    yield Table("Outcomes", ["set", "rows", *met], rows)


_SPREADS: dict[str, Callable[[Tally], Spread]] = {
    "messages": lambda t: t.messages,
    "model turns": lambda t: t.turns,
    "tool calls": lambda t: t.calls,
    "characters": lambda t: t.characters,
    "prompt tokens": lambda t: t.prompt_tokens,
    "completion tokens": lambda t: t.completion_tokens,
    "duration (s)": lambda t: t.duration_sec,
}
"""What is spread over rows, by the name that people read."""


def _lengths(statistics: Statistics) -> Iterable[Table]:
    header = ["set", "of a row", "min", *(f"p{round(q * 100)}" for q in QUANTILES), "max", "mean", "total"]
    rows = []
    for name, tally in statistics.sets.items():
        for what, spread_of in _SPREADS.items():
            spread = spread_of(tally)
            if spread.rows:
                told = spread.figures()
                numbers = [
                    told["min"],
                    *(spread.quantile(q) for q in QUANTILES),
                    told["max"],
                    told["mean"],
                    told["total"],
                ]
                rows.append([name, what, *map(number, numbers)])
    note = "Quantiles from 2,048 on are at most 0.1% too low; everything else is exact."
    yield Table("How long rows are", header, rows, 2, note)


def _counted(title: str, what: str, counts: Mapping[str, int], meanings: Mapping[str, str] | None = None) -> Table:
    """One count a line, the largest first, with its share of all."""
    whole = sum(counts.values())
    most_first = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    lines = [entry for entry in most_first[:_LINES] if entry[1]]
    if rest := sum(count for _, count in most_first[_LINES:]):
        lines.append((f"{len(most_first) - _LINES} others", rest))
    header, rows = [what, "count", "share"], [[name, number(count), f"{count / whole:.1%}"] for name, count in lines]
    if meanings is None:
        return Table(title, header, rows)
    explained = [[row[0], meanings.get(row[0], ""), *row[1:]] for row in rows]
    return Table(title, [what, "meaning", *header[1:]], explained, 2)


def _calls(statistics: Statistics) -> Iterable[Table]:
    yield _counted("Tool calls by tool", "tool", statistics.total.tools)
    yield _counted("Editor calls by command", "command", statistics.total.editor)
    yield _counted("Characters by role", "role", statistics.total.roles)


def _recall(statistics: Statistics) -> Iterable[Table]:
    rows = []
    for name, tally in statistics.sets.items():
        known = sum(tally.recall)
        if known:
            shares = [share(tally.recalled_from.get(str(threshold), 0), known) for threshold in RECALL_THRESHOLDS]
            rows.append([name, number(known), number(tally.no_recall), *shares])
    header = ["set", "rows with a recall", "without", *(f"≥ {threshold:g}" for threshold in RECALL_THRESHOLDS)]
    yield Table("Line-level recall", header, rows, note="Shares are of the rows with a recall.")
    sets = {name: tally.recall for name, tally in statistics.sets.items() if tally.recall}
    edges = [f"{i / RECALL_BINS:.2f}" for i in range(RECALL_BINS + 1)]
    bins = [f"{low} to {high}" for low, high in pairwise(edges)]
    counts = [[label, *(number(recall[i]) for recall in sets.values())] for i, label in enumerate(bins)] if sets else []
    yield Table("Recall histogram", ["recall", *sets], counts, note="A bin holds its lower edge; the last one also 1.")


def _overlap(statistics: Statistics) -> Iterable[Table]:
    header = ["set", "rows", *OVERLAPS, "none"]
    rows = []
    for name, tally in statistics.sets.items():
        counts = [tally.overlap.get(how, 0) for how in OVERLAPS]
        rows.append(
            [name, number(tally.rows), *(share(count, tally.rows) for count in [*counts, tally.rows - sum(counts)])]
        )
    note = f"Rows by the first of these in which they overlap {statistics.benchmark}."
    yield Table("Overlap with a benchmark", header, rows, note=note)


def _records(statistics: Statistics) -> Iterable[Table]:
    whole = statistics.total
    told = {name: tally.records for name, tally in statistics.sets.items() if tally.records is not None}
    rows = [
        [name, *map(number, (r.rows_in, r.rows_out, sum(r.filtered.values()), sum(r.rejected.values())))]
        for name, r in told.items()
    ]
    yield Table("Records read", ["set", "in", "rows out", "left out by filters", "rejected"], rows)
    if whole.records is not None:
        yield _counted("Rejected records by reason", "reason", whole.records.rejected, REASONS)
        yield _counted("Rows left out by filter", "filter", whole.records.filtered, FILTERS)
    yield _counted("Conversions by kind", "kind", whole.conversions or {}, CONVERSIONS)


_TABLES: tuple[Callable[[Statistics], Iterable[Table]], ...] = (
    _sera, _swe_zero, _outcomes, _lengths, _calls, _recall, _overlap, _records,
)  # fmt: skip
