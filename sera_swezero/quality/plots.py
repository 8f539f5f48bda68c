"""The plots for the page and the card: what they show, and how matplotlib (the extra `stats`) draws them."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sera_swezero.build.figures import RECALL_BINS
from sera_swezero.core.trajectory import STATUSES
from sera_swezero.display.outputs import replacing
from sera_swezero.errors import ConfigError
from sera_swezero.quality.collect import Statistics
from sera_swezero.quality.spread import Distribution
from sera_swezero.quality.tally import Tally, most_first

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import Locator

_BINS = 30  # of a histogram over rows
_LABEL = 32  # characters; a model may call a tool by a name of any length
_BARS = 12  # of a chart of counts: the largest, the others summed up

_THOUSANDS = "{x:,.10g}"  # how matplotlib writes a number at an axis

# The plots are drawn in these colours. The page replaces them by its own, which differ by light and dark.
INK, BAR, GRID = "#1f2328", "#0969da", "#d0d7de"
_VARIABLES = {INK: "var(--ink)", BAR: "var(--bar)", GRID: "var(--line)"}


@dataclass(frozen=True)
class Plot:
    """One chart."""

    name: str
    """The name of its file, without suffix."""
    title: str
    axis: str
    bars: Mapping[str, int]
    """Counts by label."""
    edges: tuple[float, ...] = ()
    """The edges of the bins, where the plot is a histogram."""
    logarithmic: bool = False
    """Whether the axis is logarithmic, with bins of equal width on it."""


def plots(statistics: Statistics) -> list[Plot]:
    """The charts for which the rows have something to show."""
    whole = statistics.total
    made = [
        _histogram("turns", "Messages of a row", "messages", whole.messages),
        _histogram("model-turns", "Turns of the model", "turns", whole.turns),
        _histogram("tool-calls", "Tool calls of a row", "calls", whole.calls),
        _lengths("characters", "Characters of a row", "characters", whole.characters),
        _lengths("prompt-tokens", "Prompt tokens of a rollout, over its turns", "tokens", whole.prompt_tokens),
        _lengths("completion-tokens", "Completion tokens of a rollout", "tokens", whole.completion_tokens),
        _lengths("duration", "Duration of a rollout", "seconds", whole.duration_sec),
        _recall(whole),
        _counts("outcomes", "Outcomes", "rows", {s: whole.outcomes[s] for s in STATUSES if whole.outcomes.get(s)}),
        _counts("tools", "Tool calls by tool", "calls", whole.tools),
        _counts("editor", "Editor calls by command", "calls", whole.editor),
        _counts("conversions", "Conversions by kind", "conversions", whole.conversions or {}),
        _counts("rejected", "Rejected records by reason", "records", whole.records.rejected if whole.records else {}),
    ]
    return [plot for plot in made if plot.bars and sum(plot.bars.values())]


def _histogram(name: str, title: str, axis: str, spread: Distribution) -> Plot:
    """Bins of equal width up to the 99 % quantile. What lies above is counted in the last bin, and the axis says so."""
    if not spread.rows:
        return Plot(name, title, axis, {})
    low, high = spread.least, round((spread.quantile(0.99) or 0) * spread.scale)
    # Rectified rows have 4 + 3 x calls messages, so bins that are not multiples of the step would differ wildly.
    step = math.gcd(*(value - low for value in spread.counts)) or 1
    width = step * max(1, -(-(high - low + 1) // (step * _BINS)))
    count = max(1, -(-(high - low + 1) // width))
    bins = [0] * count
    for value, times in spread.counts.items():
        bins[min(max(value - low, 0) // width, count - 1)] += times
    edges = tuple((low + i * width) / spread.scale for i in range(count + 1))
    cut = spread.most >= low + count * width
    axis = f"{axis} (the last bar also has the longest 1%, up to {spread.most / spread.scale:,.0f})" if cut else axis
    return Plot(name, title, axis, {str(i): times for i, times in enumerate(bins)}, edges)


def _lengths(name: str, title: str, axis: str, spread: Distribution) -> Plot:
    """Bins that grow by a constant factor, because a few rows are many times as long as the others."""
    low, high = max(1, spread.least), max(2, spread.most, spread.least + 1)
    bins = [0] * _BINS
    for value, times in spread.counts.items():
        share = math.log(max(value, low) / low) / math.log(high / low)
        bins[min(int(share * _BINS), _BINS - 1)] += times
    edges = tuple(low * (high / low) ** (i / _BINS) / spread.scale for i in range(_BINS + 1))
    return Plot(name, title, axis, {str(i): times for i, times in enumerate(bins)}, edges, logarithmic=True)


def _recall(whole: Tally) -> Plot:
    bars = {str(i): count for i, count in enumerate(whole.recall)}
    return Plot("recall", "Line-level recall", "recall", bars, tuple(i / RECALL_BINS for i in range(RECALL_BINS + 1)))


def _counts(name: str, title: str, axis: str, counts: Mapping[str, int]) -> Plot:
    return Plot(name, title, axis, {label[:_LABEL]: count for label, count in most_first(counts, _BARS).items()})


def svg(plot: Plot) -> str:
    """A chart as an SVG element that takes its colours and its font from the page around it."""
    with _drawn(plot) as figure:
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # The size in points would keep it from shrinking with a narrow page; the view box remains.
    text = re.sub(r' (width|height)="[\d.]+pt"', "", text, count=2)
    return text.replace("<svg ", f'<svg role="img" aria-label="{plot.title}" ', 1)


def write_png(folder: Path, chosen: list[Plot]) -> list[Path]:
    """Write each chart as a PNG of some 1300 x 630 pixels, on white. Returns the files. Raises OutputError."""
    made = []
    for plot in chosen:
        path = folder / f"{plot.name}.png"
        with replacing(path) as aside, _drawn(plot) as figure:
            figure.savefig(aside, format="png", dpi=200, facecolor="white", metadata={"Software": None})
        made.append(path)
    return made


@contextmanager
def _drawn(plot: Plot) -> Iterator[Figure]:
    """The figure of a plot. It must be saved in this context: some settings are read only then."""
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        msg = "plots need matplotlib: pip install 'sera-swezero[stats]'"
        raise ConfigError(msg) from error
    style: Any = {"svg.fonttype": "none", "svg.hashsalt": plot.name, "font.size": 9, "text.parse_math": False}
    style |= {"text.color": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK}
    style |= {"axes.edgecolor": GRID, "grid.color": GRID, "axes.titlesize": 10, "axes.titleweight": "bold"}
    with mpl.rc_context(style):
        figure = Figure(figsize=(6.4, 3.1), layout="constrained")
        axes = figure.add_subplot()
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.set_axisbelow(True)
        (_draw_histogram if plot.edges else _draw_bars)(axes, plot)
        axes.set_title(plot.title, loc="left")
        yield figure


def _draw_histogram(axes: Axes, plot: Plot) -> None:
    axes.stairs(list(plot.bars.values()), plot.edges, fill=True, color=BAR)
    axes.set_xlabel(plot.axis)
    axes.set_ylabel("rows")
    axes.grid(axis="y")
    if plot.logarithmic:
        from matplotlib.ticker import LogLocator

        axes.set_xscale("log")
        axes.minorticks_off()
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(_THOUSANDS)
    axes.yaxis.set_major_locator(_whole())
    axes.yaxis.set_major_formatter(_THOUSANDS)


def _draw_bars(axes: Axes, plot: Plot) -> None:
    names, counts = list(plot.bars), list(plot.bars.values())
    drawn = axes.barh(names, counts, color=BAR, height=0.7)
    axes.bar_label(drawn, [f"{count:,}" for count in counts], color=INK, fontsize=8, padding=3)
    axes.set_ylim(max(len(names), 4) - 0.5, -0.6)  # the first on top; a few bars do not fill the height
    axes.margins(x=0.14)
    axes.set_xlabel(plot.axis)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.xaxis.set_major_locator(_whole())
    axes.xaxis.set_major_formatter(_THOUSANDS)


def _whole() -> Locator:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=7, integer=True)
