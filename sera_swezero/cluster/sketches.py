"""Statistics and near-duplicates of a build, shard by shard: each is looked at where it is built, and the parts add up.

Of every shard stay a tally (`stats.tally`, some kB) and, for sources whose rows are compared, the MinHash signatures of
its rows (512 bytes a row). Sums of tallies are exact; so is what the signatures of all shards, put end to end, say of
near-duplicates: the same answers as one pass over all rows, in any order of the work.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sera_swezero.build import unit_files
from sera_swezero.build.manifest import Built, BuiltConfig, Manifest
from sera_swezero.errors import ConfigError
from sera_swezero.quality import Statistics, Tally, open_rows
from sera_swezero.quality.collect import UNIQUE
from sera_swezero.quality.minhash_reference import SLOTS, THRESHOLD
from sera_swezero.quality.row_summary import look
from sera_swezero.quality.tally import Records, Unique, decode, encode
from sera_swezero.request import kept_rows
from sera_swezero.request.benchmark_overlap import SWE_BENCH_VERIFIED, load
from sera_swezero.request.kept_rows import Place

if TYPE_CHECKING:
    import numpy as np

    from sera_swezero.quality.minhash import Signatures

FOLDER = "sketches"


class Sketch(msgspec.Struct):
    """What was counted of one file. sha256: the file's. tally: as `tally.encode` writes it."""

    sha256: str
    tally: msgspec.Raw


def there(built: Built, out: Path) -> bool:
    """Whether the file has been sketched as it is."""
    try:
        return _read(built, out).sha256 == built.sha256
    except (OSError, msgspec.DecodeError):
        return False


def sketch(built: Built, out: Path) -> None:
    """Count what is in a file of `out` and sign its rows; written aside and renamed, the tally last."""
    if there(built, out):
        return
    import numpy as np

    from sera_swezero.quality.minhash import Signer

    against, signer = load(SWE_BENCH_VERIFIED), Signer()
    tally = Tally("", "")
    signatures = []
    with _alone(built, out) as folder:
        for found in open_rows(str(folder)).read():
            if not tally.rows:
                tally = Tally(found.shape.source.name, found.shape.view, dict(found.shape.facts))
            looked = look(found.row, found.shape)
            tally.note(looked, against)
            if tally.source in UNIQUE:
                signatures.append(signer.sign(looked.commands))
    signed = np.array(signatures, np.uint32).reshape(-1, SLOTS)
    _place(out, built, ".signatures", signed.tobytes())
    told = Sketch(built.sha256, msgspec.Raw(encode(tally)))
    _place(out, built, ".json", msgspec.json.encode(told))


def merged(manifest: Manifest, out: Path) -> Statistics:
    """The statistics of all sketched shards: what `stats.collect` says of the whole folder."""
    sets = {name: tally for name, built in manifest.configs.items() if (tally := _sum(built, out)) is not None}
    for name, tally in sets.items():
        built = manifest.configs[name]
        counts = built.counts
        filtered = {"filtered": counts.filtered} if counts.filtered else {}
        tally.records = Records(counts.rows_in, counts.rows_out, filtered, dict(counts.rejected))
        tally.conversions = dict(counts.conversions)
        if tally.source in UNIQUE:
            tally.unique = _unique(built, out)
    return Statistics(out.name, SWE_BENCH_VERIFIED.name, sets)


def write_kept(manifest: Manifest, out: Path, file: Path, *, within: str = "corpus") -> tuple[int, int]:
    """Write which rows of the folder stay, as `sera-swezero dedup` on the folder does; (rows, kept rows).

    Raises:
        ConfigError: rows of the folder are of a source that is not signed (`stats.collect.UNIQUE`).
    """
    files = [file for built in manifest.configs.values() for file in _files(built)]
    with _signatures(files, out) as signatures:
        if len(signatures) != sum(built.rows for built in files):
            msg = f"{out}: not all of its rows are signed; `sera-swezero dedup {out}` reads and signs them"
            raise ConfigError(msg)
        stay = _kept(signatures, files, out, within)
    rows = (
        Place(name, "", built.path, row) for built in files for row, name in enumerate(_instances(out / built.path))
    )
    told = {"within": within, "threshold": THRESHOLD, "rows": len(stay), "kept": int(stay.sum()), "files": {}}
    kept_rows.write(file, (place for place, kept in zip(rows, stay, strict=True) if kept), told)
    return len(stay), int(stay.sum())


def _sum(built: BuiltConfig, out: Path) -> Tally | None:
    total: Tally | None = None
    for file in _files(built):
        part = decode(bytes(_read(file, out).tally))
        if total is None:
            total = part
        else:
            total.add(part)
    return total


def _files(built: BuiltConfig) -> list[Built]:
    return [one.data for one in built.shards if one.data is not None]


def _unique(built: BuiltConfig, out: Path) -> Unique:
    files = _files(built)
    with _signatures(files, out) as signatures:
        corpus, instance = (int(_kept(signatures, files, out, within).sum()) for within in ("corpus", "instance"))
    return Unique(len(signatures), corpus, instance)


def _kept(
    signatures: Signatures, files: list[Built], out: Path, within: str
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    import numpy as np

    from sera_swezero.quality.near_duplicates import kept, kept_within

    if within == "corpus":
        return kept(signatures)
    numbers: dict[tuple[str, str], int] = {}
    groups = [
        numbers.setdefault((built.path.partition("/")[0], name), len(numbers))
        for built in files
        for name in _instances(out / built.path)
    ]
    return kept_within(signatures, np.array(groups, np.uint64))


@contextmanager
def _signatures(files: list[Built], out: Path) -> Iterator[Signatures]:
    """The signatures of files put end to end, in a temporary file of 512 bytes a row."""
    import numpy as np

    with tempfile.TemporaryFile(prefix="sera-swezero-signatures-") as joined:
        for built in files:
            joined.write(_path(out, built, ".signatures").read_bytes())
        joined.flush()
        rows = joined.tell() // (SLOTS * 4)
        yield np.memmap(joined, np.uint32, "r", shape=(rows, SLOTS)) if rows else np.empty((0, SLOTS), np.uint32)


def _instances(path: Path) -> Iterator[str]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=["instance_id"]):
            yield from batch.column(0).to_pylist()


@contextmanager
def _alone(built: Built, out: Path) -> Iterator[Path]:
    """A folder in which the file stands alone, below the folder of its config, which tells its set."""
    with tempfile.TemporaryDirectory(prefix="sera-swezero-sketch-") as folder:
        link = Path(folder, built.path)
        link.parent.mkdir(parents=True)
        link.symlink_to((out / built.path).absolute())
        yield Path(folder)


def _read(built: Built, out: Path) -> Sketch:
    return msgspec.json.decode(_path(out, built, ".json").read_bytes(), type=Sketch)


def _path(out: Path, built: Built, ending: str) -> Path:
    return out / unit_files.STATE / FOLDER / (built.path.removesuffix(".parquet") + ending)


def _place(out: Path, built: Built, ending: str, content: bytes) -> None:
    path = _path(out, built, ending)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{os.getpid()}-", delete=False) as aside:
        aside.write(content)
    Path(aside.name).replace(path)
