"""The card's tables: rows of text, counted from the manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sera_swezero.build.figures import RECALL_BINS, Figures, Spread
from sera_swezero.build.manifest import BuiltConfig, Manifest
from sera_swezero.catalog import CONFIGS, Origin
from sera_swezero.core.conversions import CONVERSIONS
from sera_swezero.core.trajectory import STATUSES
from sera_swezero.errors import REASONS
from sera_swezero.loading.builder import size

Table = list[list[str]]
"""Lines of cells, the header first."""


def origin(built: BuiltConfig) -> Origin:
    """The upstream repo of a built config: it has one, since unions are not built."""
    return CONFIGS[built.config].origins[0]


def views(manifest: Manifest) -> list[str]:
    """The views that anything was built in."""
    return sorted({built.view for built in manifest.configs.values()})


def overview(manifest: Manifest, groups: Mapping[str, list[str]], default: str) -> Table:
    """What can be loaded: rows, messages and tool calls per row, bytes."""
    lines = [["config", "rows", "messages per row: min / mean / max", "tool calls: min / mean / max", "download"]]
    for name, parts in groups.items():
        built = [manifest.configs[part] for part in parts]
        told = Figures()
        for one in built:
            told.add(one.figures)
        mark = " (default)" if name == default else ""
        held = size(sum(one.bytes for one in built))
        lines.append([f"`{name}`{mark}", _count(told.messages.rows), _spread(told.messages), _spread(told.calls), held])
    return lines


def origins(manifest: Manifest) -> Table:
    """Where each config's rows come from and what became of the records."""
    lines = [["config", "upstream", "commit", "licence", "records in", "rows out", "filtered", "rejected"]]
    for name, built in manifest.configs.items():
        source, counts = origin(built), built.counts
        commit = built.upstream[source.repo]
        link = f"[{source.repo}](https://huggingface.co/datasets/{source.repo})"
        told = f"`{commit[:12]}`" if commit else "none: read from a folder"
        numbers = [counts.rows_in, counts.rows_out, counts.filtered, sum(counts.rejected.values())]
        lines.append([f"`{name}`", link, told, source.license, *map(_count, numbers)])
    return lines


def rejects(manifest: Manifest) -> Table:
    """Rejected records by reason."""
    return _by_config(manifest, "reason", REASONS, lambda built, reason: built.counts.rejected.get(reason, 0))


def outcomes(manifest: Manifest) -> Table:
    """Rows by outcome."""
    return _by_config(manifest, "outcome", STATUSES, lambda built, status: built.figures.outcomes.get(status, 0))


def distribution(manifest: Manifest) -> Table:
    """Rows by teacher, scale and rollout."""
    lines = [["config", "teacher", "scale", "rollout", "rows"]]
    for name, built in manifest.configs.items():
        facts = origin(built).facts
        if facts:
            lines.append([f"`{name}`", facts["teacher"], facts["scale"], facts["rollout"], _count(built.rows)])
    return lines if len(lines) > 1 else []


def recall(manifest: Manifest) -> Table:
    """The histogram of line-level recall, for the configs that have one."""
    figures = {name: built.figures for name, built in manifest.configs.items()}
    told = {name: one for name, one in figures.items() if one.recall}
    if not told:
        return []
    lines = [["recall", *(f"`{name}`" for name in told)]]
    for index in range(RECALL_BINS):
        span = f"{index / RECALL_BINS:.1f} to {(index + 1) / RECALL_BINS:.1f}"
        lines.append([span, *(_count(one.recall[index]) for one in told.values())])
    return [*lines, ["null", *(_count(one.no_recall) for one in told.values())]]


def conversions(manifest: Manifest) -> Table:
    """How often each kind of conversion was needed, summed over the configs of a view; also those never needed."""
    shown = views(manifest)
    lines = [["kind", "meaning", *shown]]
    for kind, meaning in CONVERSIONS.items():
        counts = [
            sum(built.counts.conversions.get(kind, 0) for built in manifest.configs.values() if built.view == view)
            for view in shown
        ]
        lines.append([f"`{kind}`", meaning, *map(_count, counts)])
    return lines


def columns(manifest: Manifest) -> Table:
    """The columns of every config; `?` behind a type: may be null."""
    lines = [["config", "columns"]]
    for name, built in manifest.configs.items():
        told = ", ".join(f"`{column}` {kind}" for column, kind in built.columns)
        lines.append([f"`{name}`", told])
    return lines


def _by_config(
    manifest: Manifest, head: str, meanings: Mapping[str, str], count: Callable[[BuiltConfig, str], int]
) -> Table:
    lines = [[head, "meaning", *(f"`{name}`" for name in manifest.configs)]]
    for key, meaning in meanings.items():
        lines.append([f"`{key}`", meaning, *_counts(count(built, key) for built in manifest.configs.values())])
    return lines


def _counts(numbers: Iterable[int]) -> list[str]:
    return [_count(number) for number in numbers]


def _count(number: int) -> str:
    return f"{number:,}"


def _spread(spread: Spread) -> str:
    return f"{spread.least} / {spread.mean:.1f} / {spread.most}"
