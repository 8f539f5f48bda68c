"""Files that are one record each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sera_swezero.hub.ranged_get import RangedGet
from sera_swezero.upstream.file_access import ends_early, hub_file, open_local
from sera_swezero.upstream.record_reader import RecordReader
from sera_swezero.upstream.records import LONGEST, Raw


class WholeFileReader(RecordReader):
    """The one record of a file."""

    def open(self) -> None:
        """Ask the hub for the file."""
        if self._get is None and self._at <= 0 and self._shard.size <= LONGEST:
            file = hub_file(self._snapshot, self._shard)
            if file is not None:
                self._get = RangedGet(file, 0, file.size)
                self._get.open()

    def _records(self, wanted: Callable[[int], bool]) -> Iterator[Raw]:
        size = self._shard.size
        if self._at > 0 or not wanted(0):
            return
        if size > LONGEST:
            fault = f"the file has {size} bytes; a record of at most {LONGEST} bytes was expected"
            yield Raw(offset=0, data=b"", after=size, fault=fault)
            return
        self.open()
        if self._get is not None:
            data, self._get = b"".join(self._get), None
        else:
            with open_local(self._snapshot, self._shard) as handle:
                data = handle.read(size)
        if len(data) != size:
            raise ends_early(self._shard, len(data))
        yield Raw(offset=0, data=data, after=max(size, 1))
