"""The unit of a build and what it leaves on disk: its files, and an entry from which a rerun knows that it is done."""

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
    count: int
    """How many files the config has; this is number `index`, from 0 on."""
    arguments: Mapping[str, Any]
    """Of `settle`, as plain values: a unit is also built on other machines."""
    shards: tuple[Shard, ...]
    """What it reads."""
    snapshot: Snapshot
    """Where that is."""
    max_rows: int | None = None
    """Stop after that many rows; None for never."""
    redact: str = ""
    """The name of the scanner whose finds are replaced (`SecretScanner.name`); "" for no scan."""
    key: str = field(default="", compare=False)
    """What `with_key` gave it."""

    @property
    def stem(self) -> str:
        """Path of its files below their folder, without the suffix."""
        return f"{self.name}/train-{self.index:05d}-of-{self.count:05d}"

    @property
    def reads(self) -> str:
        """What it reads and how, as a text: everything but the view. Units that are alike in it can share a reading."""
        given = {**self.arguments, "name": split_name(self.arguments["name"])[0], "view": None}
        return json.dumps([sorted(given.items()), self.shards], default=dict)

    @property
    def size(self) -> int:
        """Raw bytes to read."""
        return sum(shard.stop - shard.start for shard in self.shards)

    def with_key(self, request: Request) -> Unit:
        """The unit with a hash of everything that its files depend on; `request`: its arguments, settled."""
        files = [list(file) for file in self.snapshot.files]
        shards = [list(shard) for shard in self.shards]
        commits = sorted(self.snapshot.commits.items())
        parts = [program(), describe(request), self.stem, shards, files, commits, self.max_rows]
        parts += [self.redact] if self.redact else []
        return replace(self, key=hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest())


class Entry(msgspec.Struct):
    """A finished unit, as kept for a rerun."""

    key: str
    """The unit's."""
    shard: BuiltShard


def program() -> str:
    """What the bytes of a shard depend on besides the unit: versions of this program and of pyarrow, as a text."""
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
    """Say that a unit is done, by an entry that is written aside in `scratch` and renamed."""
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
    """How the names of a process's scratch folders begin; many machines of a cluster build into one folder."""
    return f"part-{socket.gethostname()}-{pid}-"


def sweep(out: Path, pids: Iterable[int] | None = None) -> None:
    """Remove what killed processes of this machine left half written: those of `pids`, else all that are gone."""
    for part in (out / STATE).glob(scratch_prefix("*") + "*"):
        pid = part.name.split("-")[-2]
        if not pid.isdecimal():
            continue  # somebody else's
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
