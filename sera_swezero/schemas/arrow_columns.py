"""Columns of rows as Arrow: their schema, and their values one by one, without pandas.

`pyarrow.array` imports pandas, which costs every process 0.5 s and 50 MB. Of pyarrow's builders only the one for text
does without it, so everything is built as text and cast where the type is another one: Arrow reads numbers from their
text form exactly.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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


class PlainColumn:
    """Texts, bytes, numbers, truth values and Json leaves that wait to become an array."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._holds_text = getattr(kind, "storage_type", kind) in {pa.string(), pa.binary()}
        self._builder = pa.lib.StringBuilder()
        self._count = 0

    def extend(self, values: Sequence[Any]) -> int:
        """Take some values; text may be str or UTF-8 bytes. Returns how many bytes they need."""
        self._count += len(values)
        if not self._holds_text:
            self._builder.append_values([None if value is None else str(value) for value in values])
            return 8 * len(values)
        data = [value.encode() if isinstance(value, str) else value for value in values]
        self._builder.append_values(data)
        return sum(map(len, filter(None, data)))

    def finish(self) -> pa.Array:
        """All values so far as an array; the column is empty again.

        Raises:
            pyarrow.ArrowInvalid: a value does not fit the type, such as bytes that are not UTF-8.
            MemoryError: the builder had no room for a value; it then leaves values out silently.
        """
        array = self._builder.finish()
        if len(array) != self._count:
            raise MemoryError
        self._count = 0
        if self._kind != pa.binary():
            array.validate(full=True)
        return array if self._kind == pa.string() else array.cast(self._kind)


class ListColumn:
    """Lists of values of one type."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._starts = PlainColumn(pa.int32())
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
        self._members = [(field.name, arrow_column(field.type)) for field in kind]

    def extend(self, values: Sequence[Any]) -> int:
        """Take some structs."""
        return sum(member.extend([value[name] for value in values]) for name, member in self._members)

    def finish(self) -> pa.Array:
        """All structs so far as an array."""
        return pa.StructArray.from_arrays([member.finish() for _, member in self._members], fields=self._fields)


ArrowColumn: TypeAlias = PlainColumn | ListColumn | StructColumn


def arrow_column(kind: pa.DataType) -> ArrowColumn:
    """An empty column of an Arrow type."""
    if pa.types.is_list(kind):
        return ListColumn(kind)
    return StructColumn(kind) if pa.types.is_struct(kind) else PlainColumn(kind)
