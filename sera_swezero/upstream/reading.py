"""Read the raw records of one shard: lines of JSONL that start in its range, rows of Parquet row groups that do."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any, NamedTuple

import msgspec

from sera_swezero.errors import UpstreamError
from sera_swezero.hub import cdn_addresses
from sera_swezero.hub.ranged_get import RangedGet, Remote
from sera_swezero.upstream.file_access import open_local, remote_file
from sera_swezero.upstream.lines import LONGEST, Line, split_lines
from sera_swezero.upstream.row_groups import GroupReader, footer, groups, starts
from sera_swezero.upstream.shards import Shard, Starts
from sera_swezero.upstream.snapshot import File, Snapshot

_BLOCK = 256 * 1024  # bytes read at a time from a file that is no stream: with 1 MiB a line costs half as much again
_SLACK = (
    256 * 1024
)  # bytes asked for beyond a shard's end, so that its last line (some 100 to 200 KB) needs no second GET
_LOOKED_AT = 64  # files that are looked at in planning, at most: one small request each, eight at a time


class Raw(NamedTuple):
    """One raw record.

    offset: byte offset of the line, or row number in the Parquet file. data: the line, or the row. after: the offset
    that the next record has; reading may begin there. fault: why the data is not to be had, "" where it is.
    """

    offset: int
    data: bytes | dict[str, Any]
    after: int = -1
    fault: str = ""


class ShardReader:
    """The records of one shard in order, as an iterator; use it once.

    Args:
        snapshot: where the file lies.
        shard: which part of it.
        columns: the columns that a Parquet file must have, by name and type.
        at: offset of the first record wanted, as `Raw.after` told it; -1: from the shard's start.

    Raises:
        UpstreamError: the file is gone or changed, is no JSON Lines or no Parquet, lacks columns, or ends too early.
    """

    def __init__(self, snapshot: Snapshot, shard: Shard, columns: dict[str, str], at: int = -1) -> None:
        self._snapshot, self._shard, self._columns, self._at = snapshot, shard, columns, at
        self._get: RangedGet | None = None
        self._groups: GroupReader | None = None

    @property
    def _place(self) -> str:
        return f"{self._shard.repo}/{self._shard.file}"

    def open(self) -> None:
        """Ask the hub for the first bytes, so that iterating need not wait. Other roots have nothing to ask."""
        remote = remote_file(self._snapshot, self._shard)
        if remote is None or self._get is not None or self._groups is not None:
            return
        if _is_parquet(self._shard.file):
            self._groups = GroupReader(remote, self._columns, self._place)
            for group in self._wanted(self._groups)[:1]:
                self._groups.expect(group)
        elif self._begin < self._shard.stop:
            self._get = RangedGet(remote, self._begin, min(self._shard.stop + self._slack, self._shard.size))
            self._get.open()

    def close(self) -> None:
        """Let go of what `open` asked for."""
        if self._get is not None:
            self._get.close()

    def __iter__(self) -> Iterator[Raw]:
        try:
            self.open()
            remote = remote_file(self._snapshot, self._shard)
            if _is_parquet(self._shard.file):
                yield from self._rows(remote)
            else:
                yield from self._lines(remote)
        except OSError as error:
            msg = f"{self._place}: cannot be read: {type(error).__name__}: {error}"
            raise UpstreamError(msg) from error

    @property
    def _begin(self) -> int:
        """The first byte to read: one before the range, to learn whether a line starts at its edge."""
        return self._at if self._at >= 0 else max(self._shard.start - 1, 0)

    @property
    def _slack(self) -> int:
        return max(1, min(_SLACK, (self._shard.stop - self._shard.start) // 4))

    def _lines(self, remote: Remote | None) -> Iterator[Raw]:
        shard, at = self._shard, self._begin
        if at >= shard.stop:  # the last record had was the last of the shard
            return
        skip = self._at < 0 and shard.start > 0
        with closing(self._stream(remote) if remote else _local_pieces(self._snapshot, shard, at)) as pieces:
            for line in split_lines(pieces, at, shard.stop, skip=skip):
                at = line.after
                if line.data is None:
                    fault = f"the line is longer than {LONGEST} bytes; rows of about 1 MB at most were expected"
                    yield Raw(line.offset, b"", line.after, fault)
                    continue
                self._check(line)
                if not line.data.isspace():
                    yield Raw(line.offset, line.data, line.after)
            if self._get is not None:
                self._get.drain()

    def _check(self, line: Line) -> None:
        data = line.data or b""
        if line.offset == 0:
            _check_first(data, self._place)
        if not data.endswith(b"\n"):
            if line.after != self._shard.size:
                msg = _ends_early(self._place, line.after, self._shard.size)
                raise UpstreamError(msg)
            _check_last(data, line.offset, self._place)

    def _stream(self, remote: Remote) -> Generator[bytes]:
        """One GET for the range and a little more; another only where the last line is longer than that."""
        at = self._begin
        if self._get is not None:
            for piece in self._get:
                at += len(piece)
                yield piece
        more = 2 * max(self._slack, 64 * 1024)
        while at < self._shard.size:
            stop = min(at + more, self._shard.size)
            yield from RangedGet(remote, at, stop)
            at, more = stop, 2 * more

    def _wanted(self, reader: GroupReader) -> list[Any]:
        found = reader.groups(self._shard.start, self._shard.stop)
        return [group for group in found if group.first + group.rows > self._at]

    def _rows(self, remote: Remote | None) -> Iterator[Raw]:
        if remote is None:
            with open_local(self._snapshot, self._shard.repo, self._shard.file) as handle:
                yield from self._group_rows(GroupReader(handle, self._columns, self._place))
        elif self._groups is not None:
            yield from self._group_rows(self._groups)

    def _group_rows(self, reader: GroupReader) -> Iterator[Raw]:
        for group in self._wanted(reader):
            for number, row in reader.rows(group, self._at):
                yield Raw(number, row, number + 1)


def read_shard(snapshot: Snapshot, shard: Shard, columns: dict[str, str]) -> Iterator[Raw]:
    """Yield the shard's records in order: `ShardReader` without the asking ahead."""
    return iter(ShardReader(snapshot, shard, columns))


def row_group_starts(snapshot: Snapshot) -> Starts:
    """Where the row groups of the snapshot's Parquet files start; nothing where there are more than 64 such files.

    Raises:
        UpstreamError: a file is no Parquet, or its footer cannot be read.
    """
    files = [file for file in snapshot.files if _is_parquet(file.path)]
    if not 0 < len(files) <= _LOOKED_AT:
        return {}

    def look(file: File) -> list[int]:
        shard = Shard(file.repo, file.path, 0, file.size, file.size)
        place = f"{file.repo}/{file.path}"
        remote = remote_file(snapshot, shard)
        if remote is not None:
            return starts(groups(footer(remote, place)))
        with open_local(snapshot, file.repo, file.path) as handle:
            return starts(groups(footer(handle, place)))

    with ThreadPoolExecutor(8) as pool:
        return dict(zip([file[:2] for file in files], pool.map(look, files), strict=True))


def look_up_addresses(snapshot: Snapshot) -> None:
    """Learn where on the hub's CDN the JSON Lines files lie, so that their first bytes are one round trip away.

    One request a file without a body, none where there are more than 64 files or where nothing is read from the hub.
    (Of Parquet files the address comes with the footer.)
    """
    files = [file for file in snapshot.files if not _is_parquet(file.path)]
    if snapshot.root is None and len(files) <= _LOOKED_AT:
        with suppress(UpstreamError):  # offline; reading says so
            shards = [Shard(file.repo, file.path, 0, file.size, file.size) for file in files]
            cdn_addresses.look_up([remote for shard in shards if (remote := remote_file(snapshot, shard))])


def _is_parquet(path: str) -> bool:
    return path.endswith(".parquet")


def _local_pieces(snapshot: Snapshot, shard: Shard, at: int) -> Generator[bytes]:
    with open_local(snapshot, shard.repo, shard.file) as handle:
        handle.seek(at)
        while piece := handle.read(_BLOCK):
            at += len(piece)
            yield piece
    if at < shard.size:
        msg = _ends_early(f"{shard.repo}/{shard.file}", at, shard.size)
        raise UpstreamError(msg)


def _ends_early(place: str, at: int, size: int) -> str:
    return f"{place}: ends at byte {at} of {size}; the file changed or arrived in part"


def _check_first(line: bytes, place: str) -> None:
    if line.strip() and line.lstrip()[:1] != b"{":
        msg = f"{place}: is no JSON Lines file; begins with {line[:40]!r}, expected an object on every line"
        raise UpstreamError(msg)


def _check_last(line: bytes, at: int, place: str) -> None:
    """A last line without its newline is fine if it is whole, and half a download if it is not."""
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeError):
        if not line.rstrip().endswith(b"}"):
            msg = f"{place}: the last line, at byte {at}, is cut off ({line[-40:]!r}); the file arrived in part"
            raise UpstreamError(msg) from None
