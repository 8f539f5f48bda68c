"""JSON Lines: the lines that start in a shard's range, with few copies and in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import NamedTuple

import msgspec

from sera_swezero.errors import UpstreamError
from sera_swezero.hub.ranged_get import RangedGet
from sera_swezero.upstream.file_access import ends_early, hub_file, open_local
from sera_swezero.upstream.record_reader import RecordReader
from sera_swezero.upstream.records import LONGEST, ColumnTypes, Raw, Shard
from sera_swezero.upstream.snapshot import Snapshot

_BLOCK = 256 * 1024
"""Bytes read at a time from a local file. With 1 MiB a line costs half as much again."""

_SLACK = 256 * 1024
"""Bytes that are asked for beyond a shard's end, so that its last line (some 100 to 200 KB) needs no second GET."""


class Line(NamedTuple):
    """A line of a file."""

    offset: int
    """Its first byte."""
    data: bytes | None
    """The line with its newline (the last one of a file may lack it); None if more than `LONGEST` bytes come before the
    newline, wherever the pieces are cut."""
    after: int
    """The first byte of the next line."""


class LineReader(RecordReader):
    """The records of one shard of a JSON Lines file."""

    def __init__(self, snapshot: Snapshot, shard: Shard, columns: ColumnTypes, at: int = -1) -> None:
        super().__init__(snapshot, shard, columns, at)
        self._skip = at < 0 and shard.start > 0
        # Reading begins one byte before the range, to learn whether a line starts at its edge.
        self._begin = at if at >= 0 else max(shard.start - 1, 0)
        self._slack = max(1, min(_SLACK, (shard.stop - shard.start) // 4))

    def open(self) -> None:
        """Ask the hub for the first bytes."""
        shard = self._shard
        if self._get is None and self._begin < shard.stop:
            file = hub_file(self._snapshot, shard)
            if file is not None:
                self._get = RangedGet(file, self._begin, min(shard.stop + self._slack, shard.size))
                self._get.open()

    def _records(self, wanted: Callable[[int], bool]) -> Iterator[Raw]:
        del wanted  # a line has to be read to find the next one
        shard = self._shard
        if self._begin >= shard.stop:  # the last record that was used is the last one of the shard
            return
        self.open()
        with closing(self._local_pieces() if self._get is None else self._remote_pieces(self._get)) as pieces:
            for line in split_lines(pieces, self._begin, shard.stop, skip=self._skip):
                if line.data is None:
                    fault = f"the line is longer than {LONGEST} bytes; rows of about 1 MB at most were expected"
                    yield Raw(offset=line.offset, data=b"", after=line.after, fault=fault)
                    continue
                self._check(line, line.data)
                if not line.data.isspace():
                    yield Raw(offset=line.offset, data=line.data, after=line.after)
            if self._get is not None:
                self._get.drain()
                self._get = None

    def _check(self, line: Line, data: bytes) -> None:
        """Refuse a file that does not begin with an object, or that is incomplete."""
        place = self._shard.place
        if line.offset == 0 and data.strip() and data.lstrip()[:1] != b"{":
            msg = f"{place}: is not JSON Lines; it begins with {data[:40]!r}, an object on every line was expected"
            raise UpstreamError(msg)
        if data.endswith(b"\n"):
            return
        if line.after != self._shard.size:
            raise ends_early(self._shard, line.after)
        # A last line without its newline is fine if it is whole; otherwise the download is incomplete.
        try:
            msgspec.json.decode(data, type=msgspec.Raw)
        except (msgspec.DecodeError, UnicodeError):
            if not data.rstrip().endswith(b"}"):
                where = f"{place}: the last line, at byte {line.offset}, is cut off"
                msg = f"{where} ({data[-40:]!r}); the file is incomplete"
                raise UpstreamError(msg) from None

    def _remote_pieces(self, first: RangedGet) -> Generator[bytes]:
        """One GET for the range and a little more, and further ones only if the last line is longer than that."""
        at = self._begin
        for piece in first:
            at += len(piece)
            yield piece
        more = 2 * max(self._slack, 64 * 1024)
        file = hub_file(self._snapshot, self._shard)
        while file is not None and at < file.size:
            stop = min(at + more, file.size)
            yield from RangedGet(file, at, stop)
            at, more = stop, 2 * more

    def _local_pieces(self) -> Generator[bytes]:
        at = self._begin
        with open_local(self._snapshot, self._shard) as handle:
            handle.seek(at)
            while piece := handle.read(_BLOCK):
                at += len(piece)
                yield piece
        if at < self._shard.size:
            raise ends_early(self._shard, at)


def split_lines(pieces: Iterable[bytes], at: int, stop: int, *, skip: bool) -> Iterator[Line]:
    """Split bytes into lines and yield those that start before `stop`.

    Args:
        pieces: the bytes from offset `at` on, cut anywhere. None is requested beyond the last line that is wanted.
        at: the offset of the first piece.
        stop: lines that start here or later are left out.
        skip: whether the first piece starts inside a line (or on its newline), which is then left out.
    """
    parts: list[bytes] = []
    length = 0  # bytes of the current line so far, kept or not
    for piece in pieces:
        begin = 0
        while (end := piece.find(b"\n", begin) + 1) > 0:
            after = at + length + end - begin
            if not skip:
                last = piece[begin:end]
                whole = b"".join([*parts, last]) if parts else last
                yield Line(offset=at, data=whole if after - at - 1 <= LONGEST else None, after=after)
            skip = False
            parts.clear()
            at, length, begin = after, 0, end
            if at >= stop:
                return
        length += len(piece) - begin
        if skip or length > LONGEST:
            parts.clear()
            if at + length >= stop:  # nothing can start in the range any more
                break
        elif begin < len(piece):
            parts.append(piece[begin:])
    if length > LONGEST and not skip:
        yield Line(offset=at, data=None, after=at + length)
    elif length and not skip:
        yield Line(offset=at, data=b"".join(parts), after=at + length)
