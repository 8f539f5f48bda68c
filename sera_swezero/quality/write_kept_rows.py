"""Write which rows are kept: one pass over the rows, and one over their signatures."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from sera_swezero.display.outputs import writing
from sera_swezero.display.progress import RowProgress
from sera_swezero.quality.minhash import THRESHOLD, Signer
from sera_swezero.quality.near_duplicates import Spill
from sera_swezero.quality.row_source import RowSource
from sera_swezero.quality.row_summary import summarise
from sera_swezero.request import kept_rows
from sera_swezero.request.kept_rows import Place


class KeptCount(NamedTuple):
    """How many rows there were, and how many are kept."""

    rows: int
    kept: int


def write_kept(
    rows: RowSource, out: Path, *, within: str = "corpus", progress: RowProgress = lambda _rows, _done: None
) -> KeptCount:
    """Write the rows that have no near-duplicate before them to `out` (see `request.kept_rows`).

    The rows of all sets count as one corpus, in the order in which they are read.

    Args:
        rows: of `open_rows`.
        out: the file.
        within: what a row is compared with: the "corpus" before it, or the rows of the same "instance" and set.
        progress: called after each row.

    Raises:
        ConfigError, UpstreamError: as the rows are read. OutputError: the file or a temporary one cannot be written.
    """
    encode, decode, signer = msgspec.json.encode, msgspec.json.Decoder(Place).decode, Signer()
    with (
        writing(tempfile.gettempdir()),
        closing(Spill()) as spill,
        tempfile.TemporaryFile(prefix="sera-swezero-places-") as places,
    ):
        for count, found in enumerate(rows.read(), 1):
            signature = signer.sign(summarise(found.row, found.kind).commands)
            spill.add(signature, f"{found.set} {found.place.instance_id}")
            places.write(encode(found.place) + b"\n")
            progress(count, found.done)
        places.seek(0)
        return write_kept_places(spill, map(decode, places), out, within, rows.made_from)


def write_kept_places(
    spill: Spill, places: Iterable[Place], out: Path, within: str, made_from: Mapping[str, Any]
) -> KeptCount:
    """As `write_kept`, for rows that are signed already; `places` are in the order of the spill."""
    stay = spill.kept(within)
    count = KeptCount(rows=len(spill), kept=int(stay.sum()))
    metadata = {"within": within, "threshold": THRESHOLD, **count._asdict(), **made_from}
    kept_rows.write(out, (place for place, kept in zip(places, stay, strict=True) if kept), metadata)
    return count
