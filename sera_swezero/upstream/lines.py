"""Split a stream of bytes into lines with few copies and bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

LONGEST = 32 * 1024 * 1024
"""Bytes of a line at most: rows upstream are about 1 MB at most, and a file that is none must not fill memory."""


class Line(NamedTuple):
    """A line with its newline (the last of a file may lack it), its byte offset, and where the next one starts.

    data is None for a line longer than `LONGEST`.
    """

    offset: int
    data: bytes | None
    after: int


def split_lines(pieces: Iterable[bytes], at: int, stop: int, *, skip: bool) -> Iterator[Line]:
    """Yield the lines that start before `stop`.

    Args:
        pieces: the bytes from offset `at` on, cut anywhere.
        at: where the first piece starts.
        stop: lines that start here or later are left out, and no piece beyond the last line wanted is asked for.
        skip: the first piece starts inside a line (or on its newline): leave that one out.
    """
    held: list[bytes] = []
    length = 0  # bytes of the current line so far, kept or not
    for piece in pieces:
        begin = 0
        while (end := piece.find(b"\n", begin) + 1) > 0:
            after = at + length + end - begin
            if not skip:
                part = piece[begin:end]
                whole = b"".join([*held, part]) if held else part
                yield Line(at, whole if len(whole) == after - at else None, after)
            skip = False
            held.clear()
            at, length, begin = after, 0, end
            if at >= stop:
                return
        length += len(piece) - begin
        if skip or length > LONGEST:
            held.clear()
            if at + length >= stop:  # nothing can start in the range any more
                break
        elif begin < len(piece):
            held.append(piece[begin:])
    if length > LONGEST and not skip:
        yield Line(at, None, at + length)
    elif length and not skip:
        yield Line(at, b"".join(held), at + length)
