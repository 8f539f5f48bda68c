"""What was built from what: `manifest.json`, typed. It holds nothing that differs between two builds of the same input.

The manifest lists every file that a push may upload or delete, and all that the card tells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from sera_swezero.build.figures import Figures
from sera_swezero.errors import PublishError

MANIFEST = "manifest.json"
CARD = "README.md"
FORMAT = 1
"""Raised when a manifest, or the layout that it tells of, can no longer be read by older code."""


class Source(msgspec.Struct):
    """The part of an upstream file that a shard was made from: records that start in [start, stop), in bytes."""

    repo: str
    file: str
    start: int
    stop: int


class Built(msgspec.Struct):
    """One file: path below the directory, size in bytes, sha256 in hex, rows."""

    path: str
    bytes: int
    sha256: str
    rows: int


class Counts(msgspec.Struct, omit_defaults=True):
    """What became of the records, as `convert.Report`, by plain names."""

    rows_in: int = 0
    rows_out: int = 0
    filtered: int = 0
    rejected: dict[str, int] = {}
    conversions: dict[str, int] = {}

    def add(self, other: Counts) -> None:
        """Add the counts of another shard."""
        self.rows_in += other.rows_in
        self.rows_out += other.rows_out
        self.filtered += other.filtered
        for mine, theirs in ((self.rejected, other.rejected), (self.conversions, other.conversions)):
            for name, count in theirs.items():
                mine[name] = mine.get(name, 0) + count


class BuiltShard(msgspec.Struct, omit_defaults=True):
    """One shard: where it came from, its file, its rejected rows' file, its counts.

    data: None where no record became a row: `datasets` 4.8 fails on a file without rows, unless it is the last.
    arrow_bytes: size of the rows in memory, which `dataset_size` sums up.
    """

    sources: list[Source]
    data: Built | None
    arrow_bytes: int
    counts: Counts
    figures: Figures
    rejected: Built | None = None

    @property
    def files(self) -> list[Built]:
        """The shard's files."""
        return [built for built in (self.data, self.rejected) if built is not None]


class BuiltConfig(msgspec.Struct):
    """One published config: what was asked for, what it was read from, what it was made with, its shards in order.

    described: the request, as `convert.describe` tells it. upstream: repo -> commit, "" where a root was read.
    converter: version and digest of the code. writer: `parquet.WRITER`. columns: (name, type) in order,
    as `views.Columns`. json: whether leaves are free JSON. max_rows: cap on its rows, None for none.
    """

    config: str
    view: str
    described: dict[str, object]
    upstream: dict[str, str]
    converter: dict[str, str]
    writer: dict[str, object]
    columns: list[tuple[str, str]]
    json: bool
    max_rows: int | None
    shards: list[BuiltShard]

    @property
    def counts(self) -> Counts:
        """The counts of all shards."""
        total = Counts()
        for shard in self.shards:
            total.add(shard.counts)
        return total

    @property
    def figures(self) -> Figures:
        """The figures of all shards."""
        total = Figures()
        for shard in self.shards:
            total.add(shard.figures)
        return total

    @property
    def bytes(self) -> int:
        """Bytes of the data files."""
        return sum(shard.data.bytes for shard in self.shards if shard.data)

    @property
    def arrow_bytes(self) -> int:
        """Bytes of the rows in memory."""
        return sum(shard.arrow_bytes for shard in self.shards)

    @property
    def rows(self) -> int:
        """Rows of the data files."""
        return sum(shard.data.rows for shard in self.shards if shard.data)


class Manifest(msgspec.Struct):
    """Everything in a built directory or a published repo.

    digest: sha256 of the rest. It stands first and on a line of its own, so that two versions always conflict in git:
    of two pull requests that start from the same version the hub merges one.
    """

    digest: str
    format: int
    configs: dict[str, BuiltConfig]

    @property
    def files(self) -> Iterator[Built]:
        """Every file that the manifest lists; itself and the card are not among them."""
        for config in self.configs.values():
            for shard in config.shards:
                yield from shard.files


def make(configs: dict[str, BuiltConfig]) -> Manifest:
    """A manifest of the configs, in order of their names."""
    ordered = dict(sorted(configs.items()))
    told = msgspec.json.encode([FORMAT, ordered], order="deterministic")
    return Manifest(hashlib.sha256(told).hexdigest(), FORMAT, ordered)


def merge(old: Manifest | None, new: Manifest) -> Manifest:
    """The union: a config of `new` takes the place of one of the same name."""
    return make({**(old.configs if old else {}), **new.configs})


def encode(manifest: Manifest) -> bytes:
    """The bytes of `manifest.json`: the same manifest, the same bytes."""
    # Struct fields keep their order, the digest first; the keys of mappings are sorted.
    return msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=1) + b"\n"


def decode(text: bytes, place: str) -> Manifest:
    """Read a manifest.

    Raises:
        PublishError: it is none, of a later format, or its digest does not fit; `place` says where it was found.
    """
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, UnicodeError) as error:
        msg = f"{place}: is no manifest of this program: {error}; expected what `sera-swezero build` writes"
        raise PublishError(msg) from error
    if manifest.format != FORMAT:
        msg = f"{place}: has format {manifest.format}, this version reads {FORMAT}; upgrade sera-swezero"
        raise PublishError(msg)
    if make(manifest.configs).digest != manifest.digest:
        msg = f"{place}: was changed by hand: its digest {manifest.digest[:12]} does not fit; build it again"
        raise PublishError(msg)
    return manifest


def read(folder: Path) -> Manifest | None:
    """The manifest of a built directory, None if it has none. Raises PublishError."""
    path = folder / MANIFEST
    return decode(path.read_bytes(), str(path)) if path.is_file() else None
