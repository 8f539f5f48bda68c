"""Statistics and near-duplicates of a build, shard by shard: each is read where it was built, and the parts add up.

Each shard gets a tally (some kB) and, for sources with `counts_unique`, the MinHash signatures of its rows (512 bytes
per row), in files that are named after the sha256 of the shard. The tallies add up exactly, and the signatures of all
shards, end to end, give the same near-duplicates as one pass over all rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import msgspec
import pyarrow.parquet as pq

from sera_swezero.build.manifest import BuiltConfig, BuiltFile, Manifest
from sera_swezero.build.unit_files import STATE
from sera_swezero.catalog import CONFIGS
from sera_swezero.check.row_paths import find_files
from sera_swezero.display.outputs import write_file
from sera_swezero.errors import ConfigError
from sera_swezero.quality.collect import Statistics
from sera_swezero.quality.minhash import SLOTS, Signer
from sera_swezero.quality.near_duplicates import Spill
from sera_swezero.quality.row_source import read_file
from sera_swezero.quality.row_summary import RowKind, summarise
from sera_swezero.quality.tally import Tally
from sera_swezero.quality.write_kept_rows import KeptCount, write_kept_places
from sera_swezero.request.benchmark_overlap import SWE_BENCH_VERIFIED, load
from sera_swezero.request.config_names import split_name
from sera_swezero.request.kept_rows import Place
from sera_swezero.sources import SOURCES

FOLDER = "sketches"

_SIGNATURE = SLOTS * 4  # bytes


def exists(file: BuiltFile, out: Path) -> bool:
    """Whether the file has been sketched as it is."""
    return _path(out, file, ".json").is_file()


def sketch(file: BuiltFile, out: Path) -> None:
    """Count what is in a file of `out` and sign its rows. The tally is written last, so it says that all is there."""
    if exists(file, out):
        return
    against, signer = load(SWE_BENCH_VERIFIED), Signer()
    name, view = split_name(_config(file))
    origin = CONFIGS[name].origins[0]
    kind = RowKind(SOURCES[origin.source], view or origin.default_view, dict(origin.facts))
    tally, signatures = Tally(source=origin.source, view=kind.view, facts=kind.facts), bytearray()
    for _, row, _ in read_file(*find_files(out / file.path)):
        summary = summarise(row, kind)
        tally.note(summary, against)
        if kind.source.counts_unique:
            signatures += signer.sign(summary.commands)
    write_file(_path(out, file, ".signatures"), signatures)
    write_file(_path(out, file, ".json"), msgspec.json.encode(tally))


def merged(manifest: Manifest, out: Path) -> Statistics:
    """The statistics of all sketched shards, equal to what `quality.collect` finds in the whole folder."""
    sets = {}
    for name, built in manifest.configs.items():
        texts = [_path(out, file, ".json").read_bytes() for file in _files(built)]
        tallies = [msgspec.json.decode(text, type=Tally) for text in texts]
        if tallies:
            tally = sets[name] = tallies[0]
            for other in tallies[1:]:
                tally.add(other)
            tally.set_report(built.report)
            if SOURCES[tally.source].counts_unique:
                with closing(_spill({name: built}, out)) as spill:
                    tally.unique = spill.unique()
    return Statistics(name=out.name, benchmark=SWE_BENCH_VERIFIED.name, sets=sets)


def write_kept(manifest: Manifest, out: Path, file: Path, *, within: str = "corpus") -> KeptCount:
    """Write which rows of the folder stay, as `sera-swezero dedup` on the folder does.

    Raises:
        ConfigError: rows of the folder are of a source that is not signed (`Source.counts_unique`).
    """
    with closing(_spill(manifest.configs, out)) as spill:
        if len(spill) != sum(built.rows for built in manifest.configs.values()):
            msg = f"{out}: not all of its rows are signed; `sera-swezero dedup {out}` reads and signs them"
            raise ConfigError(msg)
        files = [one for built in manifest.configs.values() for one in _files(built)]
        places = (
            Place(instance_id=instance, repo="", file=one.path, offset=row)
            for one in files
            for row, instance in enumerate(_instances(out / one.path))
        )
        return write_kept_places(spill, places, file, within, {"files": {}})


def _spill(configs: Mapping[str, BuiltConfig], out: Path) -> Spill:
    """The signatures of the files of configs, end to end."""
    spill = Spill()
    for built in configs.values():
        for file in _files(built):
            signatures = _path(out, file, ".signatures").read_bytes()
            starts = range(0, len(signatures), _SIGNATURE)
            for start, instance in zip(starts, _instances(out / file.path), strict=False):
                spill.add(signatures[start : start + _SIGNATURE], f"{_config(file)} {instance}")
    return spill


def _files(built: BuiltConfig) -> list[BuiltFile]:
    return [shard.data for shard in built.shards if shard.data is not None]


def _config(file: BuiltFile) -> str:
    """The config that a file is of: its folder is named after it."""
    return file.path.partition("/")[0]


def _instances(path: Path) -> Iterator[str]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=["instance_id"]):
            yield from batch.column(0).to_pylist()


def _path(out: Path, file: BuiltFile, suffix: str) -> Path:
    return out / STATE / FOLDER / _config(file) / f"{file.sha256}{suffix}"
