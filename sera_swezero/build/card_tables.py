"""The card's tables, counted from the manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import pairwise

from sera_swezero.build.figures import RECALL_BINS, Figures, Spread
from sera_swezero.build.manifest import BuiltConfig, Manifest
from sera_swezero.catalog import CONFIGS, Origin
from sera_swezero.core.conversions import CONVERSIONS
from sera_swezero.core.trajectory import STATUSES
from sera_swezero.display.formatting import byte_size, number
from sera_swezero.display.table import Table
from sera_swezero.errors import REASONS
from sera_swezero.request.arguments import ARGUMENTS, NARROWING
from sera_swezero.views import VIEWS


def origin(built: BuiltConfig) -> Origin:
    """The upstream set of a built config. There is only one, since unions are not built."""
    return CONFIGS[built.config].origins[0]


def licence(built: BuiltConfig) -> str:
    """The licence of a built config; "" if none was given."""
    return origin(built).license if built.card is None else built.card.license


def views(manifest: Manifest) -> list[str]:
    """The views that anything was built in."""
    return sorted({built.view for built in manifest.configs.values()})


def overview(manifest: Manifest, groups: Mapping[str, list[str]], default: str) -> Table:
    """What can be loaded: rows, messages and tool calls per row, bytes."""
    rows = []
    for name, parts in groups.items():
        built = [manifest.configs[part] for part in parts]
        figures = Figures()
        for part in built:
            figures.add(part.figures)
        mark = " (default)" if name == default else ""
        size = byte_size(sum(part.bytes for part in built))
        spreads = (_least_mean_most(figures.messages), _least_mean_most(figures.calls))
        rows.append([f"`{name}`{mark}", number(figures.messages.rows), *spreads, size])
    header = ["config", "rows", "messages per row: min / mean / max", "tool calls: min / mean / max", "download"]
    return Table(header=header, rows=rows)


def origins(manifest: Manifest) -> Table:
    """Where each config's rows come from and what became of the records."""
    rows = []
    for name, built in manifest.configs.items():
        report = built.report
        ((repo, commit),) = built.upstream.items()
        link = f"[{repo}](https://huggingface.co/datasets/{repo})" if repo else "the publisher's own runs"
        shown = f"`{commit[:12]}`" if commit else "none: read from a folder"
        if built.is_sample:
            shown = "none: the made-up sample"
        counts = [report.rows_in, report.rows_out, report.filtered, report.rejected.total()]
        rows.append([f"`{name}`", link, shown, licence(built) or "not said", *map(number, counts)])
    header = ["config", "upstream", "commit", "licence", "records in", "rows out", "filtered", "rejected"]
    return Table(header=header, rows=rows, text_columns=range(4))


def rejects(manifest: Manifest) -> Table:
    """Rejected records by reason."""
    return _by_config(manifest, "reason", REASONS, lambda built: built.report.rejected)


def outcomes(manifest: Manifest) -> Table:
    """Rows by outcome."""
    return _by_config(manifest, "outcome", STATUSES, lambda built: built.figures.outcomes)


def distribution(manifest: Manifest) -> Table:
    """Rows by teacher, scale and rollout, for the configs whose sets have these facts."""
    facts = {name: origin(built).facts for name, built in manifest.configs.items()}
    rows = [
        [f"`{name}`", *(fact.get(one, "both") for one in NARROWING), number(manifest.configs[name].rows)]
        for name, fact in facts.items()
        if fact
    ]
    return Table(header=["config", *NARROWING, "rows"], rows=rows, text_columns=range(4))


def recall(manifest: Manifest) -> Table:
    """The histogram of line-level recall, for the configs that have recalls."""
    figures = {name: built.figures for name, built in manifest.configs.items()}
    figures = {name: counted for name, counted in figures.items() if counted.recall}
    spans = pairwise(f"{2 * bin_ / RECALL_BINS:.1f}" for bin_ in range(RECALL_BINS // 2 + 1))
    rows = [
        [f"{low} to {high}", *(number(sum(counted.recall[2 * index : 2 * index + 2])) for counted in figures.values())]
        for index, (low, high) in enumerate(spans)
    ]
    rows.append(["null", *(number(counted.no_recall) for counted in figures.values())])
    return Table(header=["recall", *(f"`{name}`" for name in figures)], rows=rows if figures else [])


def conversions(manifest: Manifest) -> Table:
    """How often each kind of conversion was needed, even if never, summed over the configs of a view."""
    rows = []
    for kind, meaning in CONVERSIONS.items():
        counts = dict.fromkeys(views(manifest), 0)
        for built in manifest.configs.values():
            counts[built.view] += built.report.conversions[kind]
        rows.append([f"`{kind}`", meaning, *map(number, counts.values())])
    return Table(header=["kind", "meaning", *views(manifest)], rows=rows, text_columns=range(2))


def columns(manifest: Manifest) -> Table:
    """The columns of every config; `?` after a type means that a value may be null."""
    rows = [
        [f"`{name}`", ", ".join(f"`{column}` {kind}" for column, kind in built.columns)]
        for name, built in manifest.configs.items()
    ]
    return Table(header=["config", "columns"], rows=rows, text_columns=range(2))


def chosen(built: BuiltConfig) -> str:
    """How the rows of a config were chosen, as sentences without their subject; "" for the whole set as it is."""
    words = []
    if built.max_rows is not None:
        words.append(f"is not the whole set. It has at most the first {number(built.max_rows)} rows.")
    usual = {"submit": next(iter(VIEWS[built.view].submits), ""), "incomplete": CONFIGS[built.config].incomplete}
    given = {
        name: f"`{json.dumps(value)}`"
        for name, value in built.described.items()
        if name in ARGUMENTS and name != "view" and value != usual.get(name, ARGUMENTS[name].default)
    }
    given |= {name: f"a file with sha256 {given[name]}" for name in ("dedup", "decontaminate") if name in given}
    if isinstance(limit := built.described["limit"], list):
        tokens, overlong, context, tokenizer = limit
        given |= {"max_tokens": f"`{tokens}`", "overlong": f"`{overlong}`"}
        given |= {"context": f"`{context}`"} if context else {}
        given["tokenizer"] = f"a file with sha256 `{tokenizer}`"
    if built.redacted:
        kinds = ", ".join(f"{number(count)} of the kind {kind}" for kind, count in sorted(built.redacted.items()))
        words.append(f"had secrets, which are now `[REDACTED ...]`: {kinds}.")
    if given:
        words.append(f"was built with {', '.join(f'`{name}` = {value}' for name, value in given.items())}.")
    return " It ".join(words)


def _by_config(
    manifest: Manifest, head: str, meanings: Mapping[str, str], counts_of: Callable[[BuiltConfig], Mapping[str, int]]
) -> Table:
    """A table with a line per thing that is counted and a column per config."""
    counts = [counts_of(built) for built in manifest.configs.values()]
    rows = [[f"`{key}`", meaning, *(number(one.get(key, 0)) for one in counts)] for key, meaning in meanings.items()]
    return Table(
        header=[head, "meaning", *(f"`{name}`" for name in manifest.configs)], rows=rows, text_columns=range(2)
    )


def _least_mean_most(spread: Spread) -> str:
    return f"{spread.least} / {spread.mean or 0:.1f} / {spread.most}"
