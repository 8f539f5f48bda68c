"""The values of a row group, column by column, until they are written: texts lie end to end, as Arrow wants them.

Making Arrow of Python's rows copies every text three times; here each is copied once, into room that is used again for
the next group. Buffers are made by hand also because `pyarrow.array` imports pandas: half a second, and 50 MB.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, Protocol

import pyarrow as pa

_ROOM = 64 * 1024  # bytes of texts that a column begins with
_CODES = {pa.float64(): "d", pa.int64(): "q", pa.int32(): "i"}


class Held(Protocol):
    """One column of the rows that wait to be written, or what is inside the lists and structs of one."""

    def ready(self, values: Sequence[Any]) -> tuple[Any, int]:
        """Values as `hold` takes them, and their size in bytes."""

    def hold(self, values: Any) -> None:
        """Add values that `ready` gave."""

    def array(self) -> pa.Array:
        """All values, in one chunk: pages must follow from the content, not from how rows were batched.

        It is good until `clear`. Raises `pyarrow.ArrowInvalid`: text that is no UTF-8.
        """

    def clear(self) -> None:
        """Begin anew."""


def held(kind: pa.DataType, most: int) -> Held:
    """A column of an Arrow type; its group has `most` bytes, unless one row alone has more."""
    if isinstance(kind, pa.BaseExtensionType):
        return Leaves(kind, held(kind.storage_type, most))
    if pa.types.is_list(kind):
        return Lists(kind, held(kind.value_type, most))
    if pa.types.is_struct(kind):
        return Structs(kind, {field.name: held(field.type, most) for field in kind})
    if pa.types.is_boolean(kind):
        return Flags()
    return Numbers(kind) if kind in _CODES else Texts(kind, most)


class Texts:
    """Texts or bytes, given as str or as UTF-8; four bytes more for where each ends."""

    def __init__(self, kind: pa.DataType, most: int) -> None:
        self._kind, self._most = kind, most
        self._room = memoryview(bytearray(_ROOM))
        self.clear()

    def ready(self, values: Sequence[str | bytes | None]) -> tuple[list[bytes | None], int]:
        """The bytes."""
        data = [value.encode() if isinstance(value, str) else value for value in values]
        return data, sum(map(len, filter(None, data))) + 4 * len(data)

    def hold(self, values: Sequence[bytes | None]) -> None:
        """Copy the bytes. Raises OverflowError: 2 GiB of them, which a row group never has."""
        start = self._stops.pop()
        texts: Sequence[bytes] = values  # type: ignore[assignment]
        if None in values:
            self._nulls += _nulls(values, len(self._stops))
            texts = [value or b"" for value in values]
        self._stops.extend(accumulate(map(len, texts), initial=start))
        stop = self._stops[-1]
        if stop > len(self._room):
            room = memoryview(bytearray(max(stop, min(4 * len(self._room), self._most))))
            room[:start] = self._room[:start]
            self._room = room
        self._room[start:stop] = b"".join(texts)

    def array(self) -> pa.Array:
        """An array over this very room."""
        count = len(self._stops) - 1
        buffers = [_valid(count, self._nulls), pa.py_buffer(self._stops), pa.py_buffer(self._room[: self._stops[-1]])]
        made = pa.Array.from_buffers(self._kind, count, buffers, len(self._nulls))
        made.validate(full=True)
        return made

    def clear(self) -> None:
        """Begin anew in the same room."""
        self._stops = array("i", [0])
        self._nulls: list[int] = []


class Numbers:
    """Numbers of a fixed width."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self.clear()

    def ready(self, values: Sequence[float | None]) -> tuple[Sequence[float | None], int]:
        """The values themselves."""
        return values, self._values.itemsize * len(values)

    def hold(self, values: Sequence[float | None]) -> None:
        """Keep them."""
        self._nulls += _nulls(values, len(self._values))
        self._values.extend(value or 0 for value in values)

    def array(self) -> pa.Array:
        """An array over the values held."""
        count = len(self._values)
        buffers = [_valid(count, self._nulls), pa.py_buffer(self._values)]
        return pa.Array.from_buffers(self._kind, count, buffers, len(self._nulls))

    def clear(self) -> None:
        """Begin anew."""
        self._values: array[Any] = array(_CODES[self._kind])
        self._nulls: list[int] = []


class Flags:
    """True or False; a byte each, of which Arrow makes a bit."""

    def __init__(self) -> None:
        self.clear()

    def ready(self, values: Sequence[bool | None]) -> tuple[Sequence[bool | None], int]:
        """The values themselves."""
        return values, len(values)

    def hold(self, values: Sequence[bool | None]) -> None:
        """Keep them."""
        self._nulls += _nulls(values, len(self._values))
        self._values.extend(map(bool, values))

    def array(self) -> pa.Array:
        """A new array."""
        count = len(self._values)
        buffers = [_valid(count, self._nulls), _bits(self._values)]
        return pa.Array.from_buffers(pa.bool_(), count, buffers, len(self._nulls))

    def clear(self) -> None:
        """Begin anew."""
        self._values = bytearray()
        self._nulls: list[int] = []


class Lists:
    """Lists of one kind of values; four bytes more for where each ends."""

    def __init__(self, kind: pa.DataType, inner: Held) -> None:
        self._kind, self._inner = kind, inner
        self.clear()

    def ready(self, values: Sequence[Sequence[Any] | None]) -> tuple[tuple[list[int | None], Any], int]:
        """Their lengths, and what is in them."""
        inner, size = self._inner.ready([one for value in values if value for one in value])
        return ([None if value is None else len(value) for value in values], inner), size + 4 * len(values)

    def hold(self, values: tuple[Sequence[int | None], Any]) -> None:
        """Keep where they end."""
        lengths, inner = values
        start = self._stops.pop()
        self._nulls += _nulls(lengths, len(self._stops))
        self._stops.extend(accumulate((length or 0 for length in lengths), initial=start))
        self._inner.hold(inner)

    def array(self) -> pa.Array:
        """An array over what is in the lists."""
        count = len(self._stops) - 1
        buffers = [_valid(count, self._nulls), pa.py_buffer(self._stops)]
        return pa.Array.from_buffers(self._kind, count, buffers, len(self._nulls), children=[self._inner.array()])

    def clear(self) -> None:
        """Begin anew."""
        self._stops = array("i", [0])
        self._nulls: list[int] = []
        self._inner.clear()


class Structs:
    """Structs, none of which is null: the package's columns have no such."""

    def __init__(self, kind: pa.DataType, members: Mapping[str, Held]) -> None:
        self._kind, self._members = kind, members
        self.clear()

    def ready(self, values: Sequence[Mapping[str, Any]]) -> tuple[tuple[int, list[Any]], int]:
        """How many, and the values of every member."""
        told = [member.ready([value[name] for value in values]) for name, member in self._members.items()]
        return (len(values), [one for one, _ in told]), sum(size for _, size in told)

    def hold(self, values: tuple[int, Sequence[Any]]) -> None:
        """Keep them."""
        count, members = values
        self._count += count
        for member, mine in zip(self._members.values(), members, strict=True):
            member.hold(mine)

    def array(self) -> pa.Array:
        """An array over the members'."""
        children = [member.array() for member in self._members.values()]
        return pa.Array.from_buffers(self._kind, self._count, [None], 0, children=children)

    def clear(self) -> None:
        """Begin anew."""
        self._count = 0
        for member in self._members.values():
            member.clear()


class Leaves:
    """Values of a type that extends another, such as Json leaves: texts."""

    def __init__(self, kind: pa.DataType, storage: Held) -> None:
        self._kind, self._storage = kind, storage
        self.ready, self.hold, self.clear = storage.ready, storage.hold, storage.clear

    def array(self) -> pa.Array:
        """The array as the type has it."""
        return pa.ExtensionArray.from_storage(self._kind, self._storage.array())


def _nulls(values: Sequence[Any], before: int) -> list[int]:
    """The places of nulls, counted from the first of all values."""
    return [before + place for place, value in enumerate(values) if value is None] if None in values else []


def _valid(count: int, nulls: Sequence[int]) -> pa.Buffer | None:
    """Arrow's bits that say which values are there; None where all are."""
    if not nulls:
        return None
    there = bytearray(b"\1" * count)
    for place in nulls:
        there[place] = 0
    return _bits(there)


def _bits(flags: Iterable[int]) -> pa.Buffer:
    """A bit each, the lowest of a byte first."""
    digits = "".join("1" if flag else "0" for flag in flags)[::-1]
    return pa.py_buffer(int(digits or "0", 2).to_bytes((len(digits) + 7) // 8, "little"))
