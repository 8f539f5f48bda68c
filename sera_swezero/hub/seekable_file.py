"""A file on the hub as a seekable binary file, for libraries that read one."""

from __future__ import annotations

import io

from sera_swezero.hub.hub_file import HubFile
from sera_swezero.hub.ranged_get import RangedGet


class SeekableHubFile(io.RawIOBase):
    """A file on the hub, of which one span is in memory. Whatever lies outside the span costs a GET."""

    def __init__(self, file: HubFile) -> None:
        super().__init__()
        self._file = file
        self._at = 0
        self._span_start = 0
        self._span = b""
        self._coming: RangedGet | None = None

    def prefetch(self, start: int, stop: int) -> None:
        """Ask for a span of bytes. From the first read on it is held in memory in place of the span before."""
        self._coming, self._span_start, self._span = RangedGet(self._file, start, stop), start, b""
        self._coming.open()

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes (-1: to the end). Raises UpstreamError."""
        stop = self._file.size if size < 0 else min(self._at + size, self._file.size)
        if self._coming is not None:
            self._span, self._coming = b"".join(self._coming), None
        begin = self._at - self._span_start
        if begin >= 0 and stop - self._span_start <= len(self._span):
            found = self._span[begin : stop - self._span_start]
        else:
            found = b"".join(RangedGet(self._file, self._at, stop))
        self._at = stop
        return found

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset from the start, from here or from the end."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._file.size}[whence]
        return self._at

    def tell(self) -> int:
        """The offset of the next byte."""
        return self._at

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True
