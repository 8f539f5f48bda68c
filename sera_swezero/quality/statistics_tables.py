"""The cards' tables, from tallies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

from sera_swezero.build.figures import RECALL_BINS
from sera_swezero.core.conversions import CONVERSIONS
from sera_swezero.core.trajectory import ERRORED, EXITED, INCOMPLETE, OTHER, STATUSES, SUBMITTED
from sera_swezero.display.formatting import NONE, number, share
from sera_swezero.display.table import Table
from sera_swezero.errors import REASONS
from sera_swezero.quality.collect import NOT_IN_THE_DATA, Statistics
from sera_swezero.quality.kept_within import UNITS
from sera_swezero.quality.spread import QUANTILES, Distribution
from sera_swezero.quality.tally import RECALL_THRESHOLDS, Tally, most_first
from sera_swezero.request.arguments import NARROWING
from sera_swezero.request.benchmark_overlap import REASONS as OVERLAPS
from sera_swezero.request.filters import FILTERS
from sera_swezero.views.token_limit import DROP, SPLIT, TRUNCATE

_LINES = 25  # of a table of counts; a model may call any number of tools that do not exist


def tables(statistics: Statistics, versus: Statistics | None = None) -> list[Table]:
    """The tables for which the rows have something to say, in reading order; a comparison with `versus` comes first."""
    made = [table for make in _TABLES for table in make(statistics)]
    if versus is not None:
        made = [compare(statistics, versus), *(table for table in made if table.title != _ROLLOUTS)]
    return [table for table in made if table.rows]


def compare(one: Statistics, other: Statistics) -> Table:
    """Two sets of rollouts compared, with a line per figure, like the card's table of 8k against 32k."""
    left, right = one.total, other.total
    pairs = [(name, figure(left), figure(right)) for name, figure in _CARD.items()]
    rows = [[name, a, b] for name, a, b in pairs if {a, b} != {NONE}]
    header = ["", one.name, other.name]
    return Table(title=f"{one.name} and {other.name}", header=header, rows=rows, note=_note(left, right))


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
    "blocked observations": lambda t: share(t.blocked, t.observations),
    "unique corpus-wide": lambda t: share(t.unique.corpus if t.unique else None, t.rows),
    "unique within their instance": lambda t: share(t.unique.instance if t.unique else None, t.rows),
}
"""The SWE-ZERO card's figures."""


_ROLLOUTS = "Rollouts"


def _note(*tallies: Tally) -> str:
    sentences = [f"On the card but in no column: {', '.join(NOT_IN_THE_DATA)}."]
    if any(tally.unique for tally in tallies):
        sentences.append("Unique: MinHash Jaccard below 0.5 to every kept row before it.")
    if any(tally.unique and tally.view != "native" for tally in tallies):
        sentences.append(
            "Rectified rows lack the submit command: the card's own uniqueness is that of the native view."
        )
    return " ".join(sentences)


def _swe_zero(statistics: Statistics) -> Iterable[Table]:
    rollouts = {name: tally for name, tally in statistics.sets.items() if tally.unique or tally.duration_sec.rows}
    rows = [[name, *(figure(tally) for tally in rollouts.values())] for name, figure in _CARD.items()]
    rows = [row for row in rows if set(row[1:]) - {NONE}] if rollouts else []
    yield Table(title=_ROLLOUTS, header=["", *rollouts], rows=rows, note=_note(*rollouts.values()))


def _sera(statistics: Statistics) -> Iterable[Table]:
    sera = {name: tally for name, tally in statistics.sets.items() if tally.facts}
    header = [*NARROWING, "rows"]
    rows = [[*(tally.facts.get(key, "both") for key in NARROWING), *_least_mean_most(tally)] for tally in sera.values()]
    if len(sera) > 1:
        rows.append(["all", "", "", *_least_mean_most(statistics.total)])
    yield Table(
        title="Rows by teacher, scale and rollout",
        header=header + [f"{what} {which}" for what in ("turns", "calls") for which in ("min", "mean", "max")],
        rows=rows,
        text_columns=range(3),
        note="Turns are messages of a row, as on the card.",
    )


def _least_mean_most(tally: Tally) -> list[str]:
    figures = [(spread.least, spread.mean, spread.most) for spread in (tally.messages, tally.calls)]
    return [number(tally.rows), *(number(value) for spread in figures for value in spread)]


def _outcomes(statistics: Statistics) -> Iterable[Table]:
    met = [status for status in STATUSES if any(tally.outcomes.get(status) for tally in statistics.sets.values())]
    yield _shares("Outcomes", statistics, met, lambda t: t.outcomes)


def _shares(
    title: str, statistics: Statistics, names: list[str], counts: Callable[[Tally], Mapping[str, int]], note: str = ""
) -> Table:
    """A line per set: its rows, and those of each name with their share."""
    rows = [
        [name, number(tally.rows), *(share(counts(tally).get(one, 0), tally.rows) for one in names)]
        for name, tally in statistics.sets.items()
    ]
    return Table(title=title, header=["set", "rows", *names], rows=rows, note=note)


DISTRIBUTIONS: dict[str, Callable[[Tally], Distribution]] = {
    "messages": lambda t: t.messages,
    "model turns": lambda t: t.turns,
    "tool calls": lambda t: t.calls,
    "characters": lambda t: t.characters,
    "prompt tokens": lambda t: t.prompt_tokens,
    "completion tokens": lambda t: t.completion_tokens,
    "duration (s)": lambda t: t.duration_sec,
}
"""Numbers that differ from row to row, by the name that people read."""


def _lengths(statistics: Statistics) -> Iterable[Table]:
    columns = ["min", *(f"p{round(q * 100)}" for q in QUANTILES), "max", "mean", "total"]
    rows = []
    for name, tally in statistics.sets.items():
        for what, distribution_of in DISTRIBUTIONS.items():
            figures = distribution_of(tally).figures()
            if figures["rows"]:
                rows.append([name, what, *(number(figures[column]) for column in columns)])
    note = "Quantiles from 2,048 on are at most 0.1% too low; everything else is exact."
    header = ["set", "of a row", *columns]
    yield Table(title="How long rows are", header=header, rows=rows, text_columns=range(2), note=note)


def _within_limit(statistics: Statistics) -> Iterable[Table]:
    ways = {
        DROP: "rows that are too long are left out",
        TRUNCATE: "they end behind the last turn that fits",
        SPLIT: "they become windows of whole turns",
    }
    kept = {name: tally.within_limit for name, tally in statistics.sets.items() if tally.within_limit}
    rows = [
        [name, f"`{way}`", meaning, *(share(counts[f"{way} {unit}"], counts[f"all {unit}"]) for unit in UNITS)]
        for name, counts in kept.items()
        for way, meaning in ways.items()
    ]
    yield Table(
        title=f"What max_tokens={statistics.max_tokens} keeps",
        header=["set", "overlong", "meaning", "rows", "turns", "tokens of the model"],
        rows=rows,
        text_columns=range(3),
        note="Of training views with submit calls. A row counts if any turn of it is kept.",
    )


def _counts(title: str, what: str, counts: Mapping[str, int], meanings: Mapping[str, str] | None = None) -> Table:
    """A line per count, the largest first, with its share of all."""
    whole = sum(counts.values())
    rows = [
        [name, *([] if meanings is None else [meanings.get(name, "")]), number(count), f"{count / whole:.1%}"]
        for name, count in most_first(counts, _LINES).items()
        if count
    ]
    header = [what, *([] if meanings is None else ["meaning"]), "count", "share"]
    return Table(title=title, header=header, rows=rows, text_columns=range(len(header) - 2))


def _calls(statistics: Statistics) -> Iterable[Table]:
    yield _counts("Tool calls by tool", "tool", statistics.total.tools)
    yield _counts("Editor calls by command", "command", statistics.total.editor)
    yield _counts("Characters by role", "role", statistics.total.roles)


def _recall(statistics: Statistics) -> Iterable[Table]:
    sets = {name: tally for name, tally in statistics.sets.items() if tally.recall}
    rows = []
    for name, tally in sets.items():
        known = sum(tally.recall)
        shares = [share(tally.recalled_from.get(str(threshold), 0), known) for threshold in RECALL_THRESHOLDS]
        rows.append([name, number(known), number(tally.no_recall), *shares])
    header = ["set", "rows with a recall", "without", *(f"≥ {threshold:g}" for threshold in RECALL_THRESHOLDS)]
    yield Table(title="Line-level recall", header=header, rows=rows, note="Shares are of the rows with a recall.")
    edges = [f"{i / RECALL_BINS:.2f}" for i in range(RECALL_BINS + 1)]
    bins = [f"{low} to {high}" for low, high in pairwise(edges)]
    counts = [[bin_, *(number(tally.recall[i]) for tally in sets.values())] for i, bin_ in enumerate(bins)]
    note = "A bin holds its lower edge; the last one also 1."
    yield Table(title="Recall histogram", header=["recall", *sets], rows=counts if sets else [], note=note)


def _overlap(statistics: Statistics) -> Iterable[Table]:
    def counts(tally: Tally) -> Mapping[str, int]:
        return {**tally.overlap, "none": tally.rows - sum(tally.overlap.values())}

    note = f"Rows by the first of these in which they overlap {statistics.benchmark}."
    yield _shares("Overlap with a benchmark", statistics, [*OVERLAPS, "none"], counts, note)


def _records(statistics: Statistics) -> Iterable[Table]:
    whole = statistics.total
    reports = {name: tally.records for name, tally in statistics.sets.items() if tally.records is not None}
    rows = [
        [name, *map(number, (one.rows_in, one.rows_out, one.filtered, one.rejected.total()))]
        for name, one in reports.items()
    ]
    header = ["set", "in", "rows out", "left out by filters", "rejected"]
    yield Table(title="Records read", header=header, rows=rows)
    if whole.records is not None:
        yield _counts("Rejected records by reason", "reason", whole.records.rejected, REASONS)
        yield _counts("Rows left out by filter", "filter", whole.records.filtered_by, FILTERS)
    yield _counts("Conversions by kind", "kind", whole.conversions or {}, CONVERSIONS)


_TABLES: tuple[Callable[[Statistics], Iterable[Table]], ...] = (
    _sera, _swe_zero, _outcomes, _lengths, _within_limit, _calls, _recall, _overlap, _records,
)  # fmt: skip
