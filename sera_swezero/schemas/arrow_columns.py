"""Columns of rows as Arrow: their schema, and their values one by one, without pandas.

`pyarrow.array` imports pandas, which costs every process 0.5 s and 50 MB. So the buffers of Arrow's format are made
here.
"""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate, count
from typing import Any, TypeAlias

import pyarrow as pa

from sera_swezero.schemas.columns import features


def schema_of(columns: Mapping[str, str]) -> pa.Schema:
    """The Arrow schema of columns. Its metadata has their features once more, for `datasets`."""
    plain = features(columns)
    metadata = json.dumps({"info": {"features": plain}}, sort_keys=True)
    fields = [pa.field(name, _arrow(feature)) for name, feature in plain.items()]
    return pa.schema(fields, metadata={"huggingface": metadata})


def _arrow(feature: Any) -> pa.DataType:
    """The Arrow type of a feature, as `datasets` makes it."""
    if isinstance(feature, list):
        return pa.list_(_arrow(feature[0]))
    if feature.get("_type") == "Json":
        return pa.json_()
    if feature.get("_type") == "Value":
        return pa.type_for_alias(feature["dtype"])
    return pa.struct([pa.field(name, _arrow(member)) for name, member in feature.items()])


class _Nulls:
    """Which values of a column are null."""

    def __init__(self) -> None:
        self._places: list[int] = []

    def note(self, values: Sequence[Any], first: int) -> None:
        """Note which of some values are null; `first` is the number of the first of them in the column."""
        if None in values:
            self._places += [first + index for index, value in enumerate(values) if value is None]

    def array(self, kind: pa.DataType, rows: int, *buffers: Any) -> pa.Array:
        """Make an array of so many values from its buffers; the buffer that says which are null is added."""
        bitmap = None
        if self._places:
            bits = (1 << rows) - 1 - sum(1 << place for place in self._places)
            bitmap = pa.py_buffer(bits.to_bytes(rows // 8 + 1, "little"))
        return pa.Array.from_buffers(kind, rows, [bitmap, *map(pa.py_buffer, buffers)], len(self._places))


class TextColumn:
    """Texts, bytes and Json leaves that wait to become an array. Decision 020 says why this is not Arrow's builder."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._clear()

    def extend(self, values: Sequence[Any]) -> int:
        """Take some values; text may be str or UTF-8 bytes. Returns how many bytes they need."""
        data = [value.encode() if isinstance(value, str) else value or b"" for value in values]
        self._nulls.note(values, len(self._ends) - 1)
        before = self._ends.pop()
        self._ends.extend(accumulate(map(len, data), initial=before))
        self._pieces.append(b"".join(data))
        return self._ends[-1] - before

    def finish(self) -> pa.Array:
        """All values so far as an array; the column is empty again.

        Raises:
            pyarrow.ArrowInvalid: a value does not fit the type, such as bytes that are not UTF-8.
        """
        plain = pa.binary() if self._kind == pa.binary() else pa.string()
        made = self._nulls.array(plain, len(self._ends) - 1, self._ends, b"".join(self._pieces))
        self._clear()
        made.validate(full=True)
        return made if self._kind == plain else made.cast(self._kind)

    def _clear(self) -> None:
        self._pieces: list[bytes] = []
        self._ends = array("i", [0])  # where each value ends in the joined pieces, after where the first one begins
        self._nulls = _Nulls()


class RepeatedColumn:
    """Texts of which a few are repeated many times, such as roles: each is kept once."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._clear()

    def extend(self, values: Sequence[Any]) -> int:
        """Take some values. Returns how many bytes they need."""
        self._rows.extend([self._numbers[value] for value in values])
        return 4 * len(values)

    def finish(self) -> pa.Array:
        """All values so far as an array; the column is empty again. Raises as `TextColumn.finish` does."""
        different = TextColumn(self._kind)
        different.extend(list(self._numbers))
        rows = pa.Array.from_buffers(pa.int32(), len(self._rows), [None, pa.py_buffer(self._rows)])
        self._clear()
        return different.finish().take(rows)

    def _clear(self) -> None:
        self._numbers: dict[Any, int] = defaultdict(count().__next__)  # text -> its number, by where it came first
        self._rows = array("i")


class NumberColumn:
    """Numbers and truth values."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._stored = pa.int8() if kind == pa.bool_() else kind  # Arrow keeps eight truth values in a byte
        self._clear()

    def extend(self, values: Sequence[Any]) -> int:
        """Take some values. Returns how many bytes they need."""
        self._nulls.note(values, len(self._numbers))
        self._numbers.extend([value or 0 for value in values])
        return self._numbers.itemsize * len(values)

    def finish(self) -> pa.Array:
        """All values so far as an array; the column is empty again."""
        made = self._nulls.array(self._stored, len(self._numbers), self._numbers)
        self._clear()
        return made if self._kind == self._stored else made.cast(self._kind)

    def _clear(self) -> None:
        self._numbers = array(_CODES[self._stored])
        self._nulls = _Nulls()


_CODES = {pa.int8(): "b", pa.int32(): "i", pa.int64(): "q", pa.float64(): "d"}
"""Types of Arrow -> those of Python's arrays."""


class ListColumn:
    """Lists of values of one type."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._starts = NumberColumn(pa.int32())
        self._items = arrow_column(kind.value_type)
        self._count = 0

    def extend(self, values: Sequence[Any]) -> int:
        """Take some lists."""
        for value in values:
            self._starts.extend((None if value is None else self._count,))
            self._count += len(value or ())
        return sum(self._items.extend(value) for value in values if value)

    def finish(self) -> pa.Array:
        """All lists so far as an array."""
        self._starts.extend((self._count,))
        self._count = 0
        return pa.ListArray.from_arrays(self._starts.finish(), self._items.finish(), type=self._kind)


_ROLES = ("role", "from")
"""The members of messages that say who speaks."""


class StructColumn:
    """Structs; none is null, since no column of the package has null structs."""

    def __init__(self, kind: pa.DataType) -> None:
        self._fields = list(kind)
        self._members: list[tuple[str, ArrowColumn]] = [
            (field.name, RepeatedColumn(field.type) if field.name in _ROLES else arrow_column(field.type))
            for field in kind
        ]

    def extend(self, values: Sequence[Any]) -> int:
        """Take some structs."""
        return sum(member.extend([value[name] for value in values]) for name, member in self._members)

    def finish(self) -> pa.Array:
        """All structs so far as an array."""
        return pa.StructArray.from_arrays([member.finish() for _, member in self._members], fields=self._fields)


ArrowColumn: TypeAlias = TextColumn | RepeatedColumn | NumberColumn | ListColumn | StructColumn


def arrow_column(kind: pa.DataType) -> ArrowColumn:
    """An empty column of an Arrow type."""
    if pa.types.is_list(kind):
        return ListColumn(kind)
    if pa.types.is_struct(kind):
        return StructColumn(kind)
    holds_text = getattr(kind, "storage_type", kind) in {pa.string(), pa.binary()}
    return TextColumn(kind) if holds_text else NumberColumn(kind)
