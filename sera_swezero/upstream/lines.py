"""Split a stream of bytes into lines with few copies and bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sera_swezero.upstream.records import LONGEST


class Line(NamedTuple):
    """A line of a file."""

    offset: int
    """Its first byte."""

    data: bytes | None
    """The line with its newline (the last of a file may lack it); None where more than `LONGEST` bytes come before the
    newline, wherever the pieces are cut."""

    after: int
    """The first byte of the next line."""


def split_lines(pieces: Iterable[bytes], at: int, stop: int, *, skip: bool) -> Iterator[Line]:
    """Yield the lines that start before `stop`.

    Args:
        pieces: the bytes from offset `at` on, cut anywhere.
        at: where the first piece starts.
        stop: lines that start here or later are left out, and no piece beyond the last line wanted is requested.
        skip: the first piece starts inside a line (or on its newline): leave that one out.
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
