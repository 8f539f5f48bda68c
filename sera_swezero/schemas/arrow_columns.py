"""Columns of rows as Arrow: their schema, and their values one by one, without pandas.

`pyarrow.array` imports pandas, which costs every process 0.5 s and 50 MB. So everything is made as text, and cast where
the type is another one: Arrow reads numbers from their text form exactly.
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


class TextColumn:
    """Texts, bytes and Json leaves that wait to become an array.

    Its buffers are made here, because Arrow's builder for text copies all it has whenever it grows and once more at the
    end: a tenth of the time that a whole row takes (measured on rows of 120 kB).
    """

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._clear()

    def extend(self, values: Sequence[Any]) -> int:
        """Take some values; text may be str or UTF-8 bytes. Returns how many bytes they need."""
        data = [value.encode() if isinstance(value, str) else value or b"" for value in values]
        if None in values:
            first = len(self._ends) - 1
            self._nulls += [first + index for index, value in enumerate(values) if value is None]
        before = self._ends.pop()
        self._ends.extend(accumulate(map(len, data), initial=before))
        self._pieces.append(b"".join(data))
        return self._ends[-1] - before

    def finish(self) -> pa.Array:
        """All values so far as an array; the column is empty again.

        Raises:
            pyarrow.ArrowInvalid: a value does not fit the type, such as bytes that are not UTF-8.
        """
        rows, validity = len(self._ends) - 1, None
        if self._nulls:
            bits = (1 << rows) - 1 - sum(1 << null for null in self._nulls)
            validity = pa.py_buffer(bits.to_bytes(rows // 8 + 1, "little"))
        buffers = [validity, pa.py_buffer(self._ends), pa.py_buffer(b"".join(self._pieces))]
        plain = pa.binary() if self._kind == pa.binary() else pa.string()
        made = pa.Array.from_buffers(plain, rows, buffers, len(self._nulls))
        self._clear()
        made.validate(full=True)
        return made if self._kind == plain else made.cast(self._kind)

    def _clear(self) -> None:
        self._pieces: list[bytes] = []
        self._ends = array("i", [0])  # where each value ends in the joined pieces, after where the first one begins
        self._nulls: list[int] = []  # which values are null


class RepeatedColumn:
    """Numbers, truth values and roles, of which a group of rows has many but few different ones: each is kept once."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._clear()

    def extend(self, values: Sequence[Any]) -> int:
        """Take some values. Returns how many bytes they need."""
        self._rows.extend([self._numbers[value] for value in values])
        return 8 * len(values)

    def finish(self) -> pa.Array:
        """All values so far as an array; the column is empty again. Raises as `TextColumn.finish` does."""
        different = TextColumn(self._kind)
        different.extend([None if value is None else str(value) for value in self._numbers])
        rows = pa.Array.from_buffers(pa.int32(), len(self._rows), [None, pa.py_buffer(self._rows)])
        self._clear()
        return different.finish().take(rows)

    def _clear(self) -> None:
        self._numbers: dict[Any, int] = defaultdict(count().__next__)  # value -> its number, by its first row
        self._rows = array("i")


class ListColumn:
    """Lists of values of one type."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._starts = RepeatedColumn(pa.int32())
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


class StructColumn:
    """Structs; none is null, since no column of the package has null structs."""

    def __init__(self, kind: pa.DataType) -> None:
        self._fields = list(kind)
        # The first member of a message is its role, of which there are a few.
        self._members: list[tuple[str, ArrowColumn]] = [
            (field.name, arrow_column(field.type) if number else RepeatedColumn(field.type))
            for number, field in enumerate(kind)
        ]

    def extend(self, values: Sequence[Any]) -> int:
        """Take some structs."""
        return sum(member.extend([value[name] for value in values]) for name, member in self._members)

    def finish(self) -> pa.Array:
        """All structs so far as an array."""
        return pa.StructArray.from_arrays([member.finish() for _, member in self._members], fields=self._fields)


ArrowColumn: TypeAlias = TextColumn | RepeatedColumn | ListColumn | StructColumn


def arrow_column(kind: pa.DataType) -> ArrowColumn:
    """An empty column of an Arrow type."""
    if pa.types.is_list(kind):
        return ListColumn(kind)
    if pa.types.is_struct(kind):
        return StructColumn(kind)
    holds_text = getattr(kind, "storage_type", kind) in {pa.string(), pa.binary()}
    return TextColumn(kind) if holds_text else RepeatedColumn(kind)
