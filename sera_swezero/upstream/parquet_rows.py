"""Rows of Parquet as Python objects, and the columns that a file must have."""

from __future__ import annotations

from typing import Any

from sera_swezero.errors import UpstreamError
from sera_swezero.upstream.records import ColumnTypes


def as_objects(batch: Any) -> list[dict[str, Any]]:
    """The rows of an Arrow batch as Python objects.

    Arrow does not check that text is UTF-8. Text that is not UTF-8 keeps its bytes as lone surrogates, which the source
    mends and counts, so that such a text costs no other text.
    """
    import pyarrow as pa

    try:
        return batch.to_pylist()  # type: ignore[no-any-return]
    except UnicodeDecodeError:
        fields = [pa.field(field.name, _as_bytes(field.type)) for field in batch.schema]
        rows = pa.Table.from_batches([batch]).cast(pa.schema(fields)).to_pylist()
        return _as_text(rows)  # type: ignore[no-any-return]


def _as_bytes(kind: Any) -> Any:
    """The Arrow type with binary in place of text."""
    import pyarrow as pa
    import pyarrow.types as kinds

    if kinds.is_string(kind) or kinds.is_large_string(kind):
        return pa.large_binary()
    if kinds.is_list(kind) or kinds.is_large_list(kind):
        return pa.large_list(_as_bytes(kind.value_type))
    if kinds.is_struct(kind):
        return pa.struct([pa.field(field.name, _as_bytes(field.type)) for field in kind])
    return kind


def _as_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_text(one) for one in value]
    if isinstance(value, dict):
        return {key: _as_text(one) for key, one in value.items()}
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return value.decode("utf-8", "surrogateescape")


def check_columns(schema: Any, columns: ColumnTypes, place: str) -> None:
    """Compare the file's columns with the expected ones by name and kind of type; further columns do no harm.

    Raises:
        UpstreamError: a column does not fit; names the first one.
    """
    import pyarrow.types as kinds

    def text(kind: Any) -> bool:
        return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_null(kind))

    def messages(kind: Any) -> bool:
        if not (kinds.is_list(kind) or kinds.is_large_list(kind)) or not kinds.is_struct(kind.value_type):
            return False
        fields = {field.name: field.type for field in kind.value_type}
        return {"role", "content"} <= fields.keys() and text(fields["role"]) and text(fields["content"])

    fits = {
        "string": text,
        "int64": lambda kind: kinds.is_integer(kind) or kinds.is_null(kind),
        "float64": lambda kind: kinds.is_floating(kind) or kinds.is_integer(kind) or kinds.is_null(kind),
        "messages": messages,
    }
    for name, dtype in columns.items():
        kind = dtype.removesuffix("?")
        index = schema.get_field_index(name)
        found = schema.field(index).type if index >= 0 else "none"
        if index < 0 or not fits[kind](found):
            expected = ", ".join(f"{n} {t}" for n, t in columns.items())
            msg = f"{place}: column {name!r} is {found}, expected {kind}; expected columns are {expected}"
            raise UpstreamError(msg)
