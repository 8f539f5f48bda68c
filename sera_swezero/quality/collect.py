"""One pass over all rows: tallies, signatures, samples."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sera_swezero.build.figures import added
from sera_swezero.display.outputs import writing
from sera_swezero.display.progress import RowProgress
from sera_swezero.quality.row_source import RowSource
from sera_swezero.quality.row_summary import summarise
from sera_swezero.quality.samples import Sample, Samples
from sera_swezero.quality.tally import Tally, total
from sera_swezero.request import benchmark_overlap
from sera_swezero.request.benchmark_overlap import SWE_BENCH_VERIFIED
from sera_swezero.upstream.snapshot import SAMPLE

if TYPE_CHECKING:
    from sera_swezero.quality.minhash import Signer
    from sera_swezero.quality.near_duplicates import Spill

NOT_IN_THE_DATA = {
    "wall time": "how long a whole set took to make (`duration_sec` is of single rollouts, many of which ran at once)",
    "context budget": "8k or 32k tokens; only the set's name says so",
    "hardware": "on what the model ran",
}
"""What the cards say but no column holds. No command can take it from the rows."""


class Statistics(msgspec.Struct):
    """Everything about the rows of a config or folder."""

    name: str
    benchmark: str
    """The name of the file that lists what rows must not overlap."""
    sets: dict[str, Tally]
    """By name, in the order in which they were met."""
    max_tokens: int | None = None
    """The limit in tokens that the statistics try; None for none."""
    samples: list[Sample] = []
    upstream: dict[str, str] = {}
    """What was read, as in `Snapshot.upstream`; empty where nothing says it."""

    @property
    def made_up(self) -> bool:
        """Whether there are rows of the made-up sample."""
        return SAMPLE in self.upstream.values()

    @property
    def total(self) -> Tally:
        """All sets as one. Raises ValueError where there is no row."""
        tallies = list(self.sets.values())
        return tallies[0] if len(tallies) == 1 else total(tallies)


def collect(
    rows: RowSource,
    *,
    benchmark: Path = SWE_BENCH_VERIFIED,
    unique: bool | None = None,
    samples: int = 0,
    progress: RowProgress = lambda _rows, _done: None,
) -> Statistics:
    """Read all rows once.

    Args:
        rows: of `open_rows`.
        benchmark: a file that lists what rows must not overlap, as `benchmark_overlap.load` reads it.
        unique: whether to look for near-duplicates; None looks for them where `Source.counts_unique` says so.
        samples: rows of each set to keep for looking at.
        progress: called after each row.

    Raises:
        ConfigError, UpstreamError: as the rows are read. OutputError: a temporary file cannot be written.
    """
    against = benchmark_overlap.load(benchmark)
    sets: dict[str, tuple[Tally, Samples, Spill | None]] = {}
    signer: Signer | None = None
    with writing(tempfile.gettempdir()), ExitStack() as stack:
        for count, found in enumerate(rows.read(), 1):
            kind = found.kind
            if found.set not in sets:
                spill = None
                if kind.source.counts_unique if unique is None else unique:
                    # Imports numpy, which is needed for nothing else.
                    from sera_swezero.quality.minhash import Signer
                    from sera_swezero.quality.near_duplicates import Spill

                    signer = signer or Signer()
                    spill = stack.enter_context(closing(Spill()))
                tally = Tally(source=kind.source.name, view=kind.view, facts=kind.facts)
                sets[found.set] = tally, Samples(samples), spill
            tally, chosen, spill = sets[found.set]
            summary = summarise(found.row, kind)
            tally.note(summary, against)
            tally.within_limit = added(tally.within_limit, found.kept)
            chosen.note(found.set, found.place, summary)
            if spill is not None and signer is not None:
                spill.add(signer.sign(summary.commands), summary.instance_id)
            progress(count, found.done)
        return _statistics(rows, benchmark, sets)


def _statistics(
    rows: RowSource, benchmark: Path, sets: Mapping[str, tuple[Tally, Samples, Spill | None]]
) -> Statistics:
    for name, (tally, _, spill) in sets.items():
        if spill is not None:
            tally.unique = spill.unique()
        if name in rows.reports:
            tally.set_report(rows.reports[name])
    return Statistics(
        name=rows.name,
        benchmark=benchmark.name,
        max_tokens=rows.max_tokens,
        sets={name: tally for name, (tally, _, _) in sets.items()},
        samples=[sample for _, chosen, _ in sets.values() for sample in chosen.chosen()],
        upstream=rows.upstream,
    )
