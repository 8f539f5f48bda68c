"""The unit of a build and what it leaves on disk: its files, and an entry that tells a rerun that it is done."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from sera_swezero.build.manifest import FORMAT, BuiltFile, BuiltShard
from sera_swezero.build.parquet_writer import WRITER
from sera_swezero.display.outputs import writing
from sera_swezero.request.config_names import split_name
from sera_swezero.request.identity import ROWS_VERSION, describe
from sera_swezero.request.settle import Request
from sera_swezero.upstream import Shard, Snapshot

STATE = ".build"
"""The folder of entries and of half-written files. Never published."""


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One piece of a build: the shards of upstream that become one file."""

    name: str
    """The published config."""
    index: int
    """The number of the file among those of the config, from 0 on."""
    count: int
    """How many files the config has."""
    arguments: Mapping[str, Any]
    """The arguments of `settle`, as plain values, since units are also built on other machines."""
    shards: tuple[Shard, ...]
    """What the unit reads."""
    snapshot: Snapshot
    """Where the files of these shards are."""
    max_rows: int | None = None
    """How many rows the unit has at most; None for no limit."""
    redact: str = ""
    """The name of the scanner whose finds are replaced (`SecretScanner.name`); "" for no scan."""
    key: str = field(default="", compare=False)
    """A hash of everything that the unit's files depend on, from `with_key`."""

    @property
    def stem(self) -> str:
        """Path of its files below their folder, without the suffix."""
        return f"{self.name}/train-{self.index:05d}-of-{self.count:05d}"

    @property
    def reads(self) -> str:
        """What the unit reads and how, without the view, as a text. Units with the same text can share a reading."""
        given = {**self.arguments, "name": split_name(self.arguments["name"])[0], "view": None}
        return json.dumps([sorted(given.items()), self.shards], default=dict)

    @property
    def size(self) -> int:
        """Raw bytes to read."""
        return sum(shard.stop - shard.start for shard in self.shards)

    def with_key(self, request: Request) -> Unit:
        """The unit with its key. `request` is what `settle` makes of the unit's arguments."""
        files = [list(file) for file in self.snapshot.files]
        shards = [list(shard) for shard in self.shards]
        commits = sorted(self.snapshot.commits.items())
        parts = [program(), describe(request), self.stem, shards, files, commits, self.max_rows]
        parts += [self.redact] if self.redact else []
        return replace(self, key=hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest())


class Entry(msgspec.Struct):
    """A finished unit, as it is kept for a rerun."""

    key: str
    """`Unit.key`."""
    shard: BuiltShard


def program() -> str:
    """What the bytes of a shard depend on besides the unit, as a text: versions of this program and of pyarrow."""
    return json.dumps([FORMAT, ROWS_VERSION, WRITER], sort_keys=True)


def finished(unit: Unit, out: Path) -> BuiltShard | None:
    """The unit's entry if an earlier run made exactly these files and they are still whole; else None."""
    try:
        entry = msgspec.json.decode(entry_path(unit, out).read_bytes(), type=Entry)
    except (OSError, msgspec.DecodeError):
        return None
    whole = entry.key == unit.key and all(intact(out, file) for file in entry.shard.files)
    return entry.shard if whole else None


def write_entry(unit: Unit, shard: BuiltShard, scratch: Path, out: Path) -> None:
    """Record that a unit is done, by an entry that is written aside in `scratch` and renamed."""
    entry = Entry(key=unit.key, shard=shard)
    (scratch / "entry").write_bytes(msgspec.json.encode(entry, order="deterministic"))
    put(scratch / "entry", entry_path(unit, out))


def entry_path(unit: Unit, out: Path) -> Path:
    """Where a unit's entry is."""
    return out / STATE / f"{unit.stem}.json"


def put(made: Path, path: Path) -> None:
    """Rename a finished file into its place. Raises OutputError."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        made.replace(path)


def present(out: Path, file: BuiltFile) -> bool:
    """Whether the file is there with its size."""
    path = out / file.path
    return path.is_file() and path.stat().st_size == file.bytes


def intact(out: Path, file: BuiltFile) -> bool:
    """Whether the file is there with its size and hash."""
    return present(out, file) and sha256(out / file.path) == file.sha256


def sha256(path: Path) -> str:
    """The sha256 of a file in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def scratch_prefix(pid: int | str) -> str:
    """How the names of a process's scratch folders begin. The machines of a cluster all build into one folder."""
    return f"part-{socket.gethostname()}-{pid}-"


def sweep(out: Path, pids: Iterable[int] | None = None) -> None:
    """Remove what killed processes of this machine left half written: those of `pids`, or else all that are gone."""
    for part in (out / STATE).glob(scratch_prefix("*") + "*"):
        pid = part.name.split("-")[-2]
        if not pid.isdecimal():
            continue  # this is somebody else's
        if int(pid) in pids if pids is not None else not _alive(int(pid)):
            shutil.rmtree(part, ignore_errors=True)


def _alive(pid: int) -> bool:
    if os.name == "nt":
        return True  # asking with os.kill would end the process there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
