"""One pass over all rows: tallies, signatures, samples."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sera_swezero.quality.row_source import Found, Rows
from sera_swezero.quality.row_summary import look
from sera_swezero.quality.samples import Sample, Samples
from sera_swezero.quality.tally import Tally, Unique, total
from sera_swezero.request import benchmark_overlap
from sera_swezero.request.benchmark_overlap import SWE_BENCH_VERIFIED, Benchmark

if TYPE_CHECKING:
    from sera_swezero.quality.minhash import Signer
    from sera_swezero.quality.signature_spill import Spill

UNIQUE = frozenset({"swe_zero"})
"""Sources whose card tells the share of unique rollouts. SERA's does not, and the texts of its edits make it dear."""

NOT_IN_THE_DATA = {
    "wall time": "how long a whole set took to make (`duration_sec` is of single rollouts, many of which ran at once)",
    "context budget": "8k or 32k tokens; only the set's name tells",
    "hardware": "on what the model ran",
}
"""What the cards tell and no column holds: no command can take it from the rows."""


class Statistics(msgspec.Struct):
    """Everything about the rows of a config or folder. sets: by name, in the order in which they were met."""

    name: str
    benchmark: str
    sets: dict[str, Tally]
    samples: list[Sample] = []

    @property
    def total(self) -> Tally:
        """All sets as one. Raises ValueError where there is no row."""
        tallies = list(self.sets.values())
        return tallies[0] if len(tallies) == 1 else total(tallies)


Progress = Callable[[int, float], None]
"""Is told after each row: rows so far, share of all bytes that have been read."""


def collect(
    rows: Rows,
    *,
    benchmark: Path = SWE_BENCH_VERIFIED,
    unique: bool | None = None,
    samples: int = 0,
    progress: Progress | None = None,
) -> Statistics:
    """Read all rows once.

    Args:
        rows: of `rows.open_rows`.
        benchmark: file of what rows must not overlap, as `decontaminate.load` reads it.
        unique: whether near-duplicates are looked for; None: where the card tells them (`UNIQUE`).
        samples: rows of each set to keep for looking at.
        progress: is told how far it is.

    Raises:
        ConfigError, UpstreamError: as the rows are read.
    """
    against = benchmark_overlap.load(benchmark)
    sets: dict[str, _Set] = {}
    with ExitStack() as stack:
        spills = _Spills(stack)
        for count, found in enumerate(rows.read(), 1):
            if found.set not in sets:
                wanted = found.shape.source.name in UNIQUE if unique is None else unique
                sets[found.set] = _Set(found, samples, spills.new() if wanted else None)
            sets[found.set].note(found, against)
            if progress is not None:
                progress(count, found.done)
        tallies = {name: one.finished() for name, one in sets.items()}
    for name, told in rows.told.items():
        if name in tallies:
            tallies[name].records, tallies[name].conversions = told.records, told.conversions
    chosen = [sample for one in sets.values() for sample in one.samples.chosen()]
    return Statistics(rows.name, benchmark.name, tallies, chosen)


class _Spills:
    """Makes spills, which share one signer; nothing heavy is imported where none is wanted."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._signer: Signer | None = None

    def new(self) -> Spill:
        from sera_swezero.quality.minhash import Signer
        from sera_swezero.quality.signature_spill import Spill

        self._signer = self._signer or Signer()
        return self._stack.enter_context(closing(Spill(self._signer)))


class _Set:
    """What is gathered of one set."""

    def __init__(self, first: Found, samples: int, spill: Spill | None) -> None:
        shape = first.shape
        self._tally = Tally(shape.source.name, shape.view, dict(shape.facts))
        self._spill = spill
        self.samples = Samples(samples)

    def note(self, found: Found, against: Benchmark) -> None:
        looked = look(found.row, found.shape)
        self._tally.note(looked, against)
        self.samples.note(found.set, found.place, looked)
        if self._spill is not None:
            self._spill.add(looked.commands, looked.instance_id)

    def finished(self) -> Tally:
        if self._spill is not None:
            corpus, instance = self._spill.kept(), self._spill.kept_within()
            self._tally.unique = Unique(len(self._spill), int(corpus.sum()), int(instance.sum()))
        return self._tally
