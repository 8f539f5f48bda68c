"""Whole file: one file is one record."""

from __future__ import annotations

from collections.abc import Iterator

from sera_swezero.hub.ranged_get import RangedGet
from sera_swezero.upstream.file_access import ends_early, hub_file, open_local
from sera_swezero.upstream.records import LONGEST, ColumnTypes, Raw, Shard
from sera_swezero.upstream.snapshot import Snapshot


class WholeFileReader:
    """The one record of a file."""

    def __init__(self, snapshot: Snapshot, shard: Shard, columns: ColumnTypes, at: int) -> None:
        del columns  # the format has none
        self._snapshot, self._shard = snapshot, shard
        self._unread = at <= 0
        self._get: RangedGet | None = None

    def open(self) -> None:
        """Ask the hub for the file."""
        if self._get is None and self._unread and self._shard.size <= LONGEST:
            file = hub_file(self._snapshot, self._shard)
            if file is not None:
                self._get = RangedGet(file, 0, file.size)
                self._get.open()

    def close(self) -> None:
        """Drop what `open` asked for."""
        if self._get is not None:
            self._get.close()

    def __iter__(self) -> Iterator[Raw]:
        size = self._shard.size
        if not self._unread:
            return
        if size > LONGEST:
            fault = f"the file has {size} bytes; a record of at most {LONGEST} bytes was expected"
            yield Raw(offset=0, data=b"", after=size, fault=fault)
            return
        self.open()
        if self._get is not None:
            data = b"".join(self._get)
        else:
            with open_local(self._snapshot, self._shard) as handle:
                data = handle.read(size)
        if len(data) != size:
            raise ends_early(self._shard, len(data))
        yield Raw(offset=0, data=data, after=max(size, 1))
