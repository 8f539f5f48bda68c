"""What was built from what: `manifest.json`, typed. Two builds of the same input give the same manifest.

It lists every file that a push may upload or delete, and holds every figure on the card.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from sera_swezero.build.card_facts import CardFacts
from sera_swezero.build.figures import Figures
from sera_swezero.errors import PublishError
from sera_swezero.report import Report
from sera_swezero.upstream.snapshot import SAMPLE

MANIFEST = "manifest.json"
CARD = "README.md"
FORMAT = 3
"""This number is raised when older code can no longer read a manifest, or the layout that it describes."""


class ShardSource(msgspec.Struct):
    """The part of an upstream file that a shard was made from: the records that start in [start, stop)."""

    repo: str
    file: str
    start: int
    """In bytes, as `stop`."""
    stop: int


class BuiltFile(msgspec.Struct):
    """One file of a build."""

    path: str
    """Where it is, below the directory of the build."""
    bytes: int
    sha256: str
    """In hex."""
    rows: int


class BuiltShard(msgspec.Struct, omit_defaults=True):
    """One shard: what it was made from, its files, its counts."""

    sources: list[ShardSource]
    data: BuiltFile | None
    """None if no record became a row: `datasets` 4.8 fails on a file without rows, unless it is the last one."""
    arrow_bytes: int
    """Size of the rows in memory. The card's `dataset_size` is the sum of these."""
    report: Report
    figures: Figures
    rejected: BuiltFile | None = None
    """The rejected records with their reasons; None if none was rejected."""
    redacted: dict[str, int] = msgspec.field(default_factory=dict)
    """How many secrets were replaced in rows and rejected records, by kind."""

    @property
    def files(self) -> list[BuiltFile]:
        """The shard's files."""
        return [file for file in (self.data, self.rejected) if file is not None]


class BuiltConfig(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One published config: what was asked for, what it was made from and with, and its shards in order."""

    config: str
    view: str
    described: dict[str, object]
    """The request, as `identity.describe` describes it."""
    upstream: dict[str, str]
    """What was read: `Snapshot.upstream`."""
    converter: dict[str, str]
    """Version and digest of the code."""
    writer: dict[str, object]
    """`parquet_writer.WRITER`."""
    columns: list[tuple[str, str]]
    """Name and type of each column in order, as in `views.Columns`."""
    json: bool
    """Whether there are columns of free JSON."""
    max_rows: int | None
    """The most rows that were asked for; None if there was no limit."""
    shards: list[BuiltShard]
    card: CardFacts | None = None
    """What the publisher says about runs of their own; None for a set of the catalog."""

    @property
    def files(self) -> list[BuiltFile]:
        """The files of all shards."""
        return [file for shard in self.shards for file in shard.files]

    @property
    def is_sample(self) -> bool:
        """Whether the rows are made up."""
        return SAMPLE in self.upstream.values()

    @property
    def report(self) -> Report:
        """The counts of all shards."""
        total = Report()
        for shard in self.shards:
            total.add(shard.report)
        return total

    @property
    def figures(self) -> Figures:
        """The figures of all shards."""
        total = Figures()
        for shard in self.shards:
            total.add(shard.figures)
        return total

    @property
    def redacted(self) -> Counter[str]:
        """How many secrets were replaced, by kind."""
        return sum((Counter(shard.redacted) for shard in self.shards), Counter())

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
    """Everything in a built directory or a published repo."""

    digest: str
    """The sha256 of the rest. It comes first and on a line of its own, so that two versions always conflict in git: of
    two pull requests that start from the same version, the hub merges only one."""
    format: int
    configs: dict[str, BuiltConfig]

    @property
    def files(self) -> Iterator[BuiltFile]:
        """Every file that the manifest lists; the manifest itself and the card are not among them."""
        for config in self.configs.values():
            yield from config.files


def made_up(manifest: Manifest) -> list[str]:
    """The configs whose rows are those of the made-up sample."""
    return [name for name, built in manifest.configs.items() if built.is_sample]


def make(configs: dict[str, BuiltConfig]) -> Manifest:
    """A manifest of the configs, in order of their names."""
    ordered = dict(sorted(configs.items()))
    content = msgspec.json.encode([FORMAT, ordered], order="deterministic")
    return Manifest(digest=hashlib.sha256(content).hexdigest(), format=FORMAT, configs=ordered)


def merge(old: Manifest | None, new: Manifest) -> Manifest:
    """The union of two manifests, in which a config of `new` takes the place of one with the same name."""
    return make({**(old.configs if old else {}), **new.configs})


def encode(manifest: Manifest) -> bytes:
    """The bytes of `manifest.json`. The same manifest gives the same bytes."""
    # Struct fields keep their order, the digest first; the keys of mappings are sorted.
    return msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=1) + b"\n"


def decode(text: bytes, place: str) -> Manifest:
    """Read a manifest; `place` says in errors where it was found.

    Raises:
        PublishError: this is not a manifest, has another format, or its digest does not fit.
    """
    try:
        found = msgspec.json.decode(text, type=_Format).format
        if found != FORMAT:
            msg = f"{place}: has format {found}, this version reads {FORMAT}; "
            msg += "upgrade sera-swezero" if found > FORMAT else "build it again"
            raise PublishError(msg)
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, UnicodeError) as error:
        msg = f"{place}: is not a manifest of this program: {error}; expected what `sera-swezero build` writes"
        raise PublishError(msg) from error
    if make(manifest.configs).digest != manifest.digest:
        msg = f"{place}: was changed by hand: its digest {manifest.digest[:12]} does not fit; build it again"
        raise PublishError(msg)
    return manifest


def read(folder: Path) -> Manifest | None:
    """The manifest of a built directory; None if it has none. Raises PublishError."""
    path = folder / MANIFEST
    return decode(path.read_bytes(), str(path)) if path.is_file() else None


class _Format(msgspec.Struct):
    format: int
