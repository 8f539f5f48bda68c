"""The values of a row group, column by column, until they are written: texts lie end to end, as Arrow wants them.

Making Arrow of Python's rows copies every text three times; here each is copied once, into room that is used again for
the next group. Buffers are made by hand also because `pyarrow.array` imports pandas: half a second, and 50 MB.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, Protocol

import pyarrow as pa

_ROOM = 64 * 1024  # bytes of texts that a column begins with
_CODES = {pa.float64(): "d", pa.int64(): "q", pa.int32(): "i"}


class Held(Protocol):
    """One column of the rows that wait to be written."""

    def ready(self, value: Any) -> tuple[Any, int]:
        """A row's value as `hold` takes it, and its size in bytes."""

    def hold(self, value: Any) -> None:
        """Add a value that `ready` gave."""

    def array(self) -> pa.Array:
        """All values, in one chunk: pages must follow from the content, not from how rows were batched.

        It is good until `clear`. Raises `pyarrow.ArrowInvalid`: text that is no UTF-8.
        """

    def clear(self) -> None:
        """Begin anew."""


def held(kind: pa.DataType, most: int) -> Held:
    """A column of an Arrow type; its group has `most` bytes, unless one value alone has more."""
    if pa.types.is_nested(kind):
        return Lists(kind)
    return Numbers(kind) if kind in _CODES else Texts(kind, most)


class Texts:
    """Texts or bytes, given as str or as UTF-8."""

    def __init__(self, kind: pa.DataType, most: int) -> None:
        self._kind, self._most = kind, most
        self._room = memoryview(bytearray(_ROOM))
        self._used = 0
        self._stops = array("i", [0])
        self._nulls: list[int] = []

    def ready(self, value: str | bytes | None) -> tuple[bytes | None, int]:
        """The bytes; four more for the offset."""
        if value is None:
            return None, 4
        data = value if isinstance(value, bytes) else value.encode()
        return data, len(data) + 4

    def hold(self, value: bytes | None) -> None:
        """Copy the bytes. Raises OverflowError: 2 GiB of them, which a row group never has."""
        if value is None:
            self._nulls.append(len(self._stops) - 1)
        else:
            start, self._used = self._used, self._used + len(value)
            if self._used > len(self._room):
                room = memoryview(bytearray(max(self._used, min(4 * len(self._room), self._most))))
                room[:start] = self._room[:start]
                self._room = room
            self._room[start : self._used] = value
        self._stops.append(self._used)

    def array(self) -> pa.Array:
        """An array over this very room."""
        count = len(self._stops) - 1
        buffers = [_valid(count, self._nulls), pa.py_buffer(self._stops), pa.py_buffer(self._room[: self._used])]
        made = pa.Array.from_buffers(self._kind, count, buffers, len(self._nulls))
        made.validate(full=True)
        return made

    def clear(self) -> None:
        """Begin anew in the same room."""
        self._used = 0
        self._stops, self._nulls = array("i", [0]), []


class Numbers:
    """Numbers of a fixed width."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self.clear()

    def ready(self, value: float | None) -> tuple[float | None, int]:
        """The value itself."""
        return value, self._values.itemsize

    def hold(self, value: float | None) -> None:
        """Keep it."""
        if value is None:
            self._nulls.append(len(self._values))
        self._values.append(value or 0)

    def array(self) -> pa.Array:
        """An array over the values held."""
        count = len(self._values)
        buffers = [_valid(count, self._nulls), pa.py_buffer(self._values)]
        return pa.Array.from_buffers(self._kind, count, buffers, len(self._nulls))

    def clear(self) -> None:
        """Begin anew."""
        self._values: array[Any] = array(_CODES[self._kind])
        self._nulls: list[int] = []


class Lists:
    """Lists and structs: Arrow's at once, row by row, so that Python's objects go. A Json leaf is given as text."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind, self._plain = kind, _without_json(kind)
        self.clear()

    def ready(self, value: Any) -> tuple[pa.Array, int]:
        """An array of the one value."""
        made = pa.array([value], self._plain)
        return made, made.nbytes

    def hold(self, value: pa.Array) -> None:
        """Keep it."""
        self._rows.append(value)

    def array(self) -> pa.Array:
        """The rows put end to end."""
        # Arrow makes no Json leaves of Python values, but it takes text for them.
        return pa.concat_arrays(self._rows).cast(self._kind)

    def clear(self) -> None:
        """Begin anew."""
        self._rows: list[pa.Array] = []


def _valid(count: int, nulls: Sequence[int]) -> pa.Buffer | None:
    """Arrow's bits that say which values are there; None where all are."""
    if not nulls:
        return None
    bits = bytearray(b"\xff" * ((count + 7) // 8))
    for place in nulls:
        bits[place // 8] &= ~(1 << place % 8)
    return pa.py_buffer(bits)


def _without_json(kind: Any) -> Any:
    if isinstance(kind, pa.BaseExtensionType):
        return kind.storage_type
    if pa.types.is_list(kind):
        return pa.list_(_without_json(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, _without_json(field.type)) for field in kind])
    return kind
