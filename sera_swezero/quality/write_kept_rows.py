"""Rows to a file of kept rows: one pass over the rows, then one over their signatures."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec

from sera_swezero.quality.minhash import Signer
from sera_swezero.quality.minhash_reference import THRESHOLD
from sera_swezero.quality.row_source import Rows
from sera_swezero.quality.row_summary import look
from sera_swezero.quality.signature_spill import Spill
from sera_swezero.request import kept_rows
from sera_swezero.request.kept_rows import Place

WITHIN = ("corpus", "instance")
"""What a row is compared with: all rows before it, or those of the same instance and set."""


class Kept(NamedTuple):
    """How many rows there were, and how many are kept."""

    rows: int
    kept: int


def write_kept(
    rows: Rows, out: Path, *, within: str = "corpus", progress: Callable[[int, float], None] | None = None
) -> Kept:
    """Write the rows that have no near-duplicate before them to `out` (see `dedup.keptfile`).

    The rows of all sets count as one corpus, in the order in which they are read.

    Raises:
        ConfigError, UpstreamError: as the rows are read.
    """
    encode, decode = msgspec.json.encode, msgspec.json.Decoder(Place).decode
    with closing(Spill(Signer())) as spill, tempfile.TemporaryFile(prefix="sera-swezero-places-") as places:
        for count, found in enumerate(rows.read(), 1):
            spill.add(look(found.row, found.shape).commands, f"{found.set} {found.place.instance_id}")
            places.write(encode(found.place) + b"\n")
            if progress is not None:
                progress(count, found.done)
        stay = spill.kept() if within == "corpus" else spill.kept_within()
        done = Kept(len(spill), int(stay.sum()))
        places.seek(0)
        told = {"within": within, "threshold": THRESHOLD, **done._asdict(), **rows.made_from}
        kept_rows.write(out, (decode(line) for line, kept in zip(places, stay, strict=True) if kept), told)
    return done
