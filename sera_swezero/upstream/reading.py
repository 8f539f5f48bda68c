"""Read the raw records of one shard: lines of JSONL that start in its range, rows of Parquet row groups that do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, NamedTuple

import msgspec

from sera_swezero.errors import UpstreamError
from sera_swezero.upstream.shards import Shard
from sera_swezero.upstream.snapshot import Snapshot

_BLOCK = 4 * 1024 * 1024  # bytes asked for at a time from a remote file
_BATCH = 32  # Parquet rows that are Python objects at a time


class Raw(NamedTuple):
    """One raw record. offset: byte offset of the line, or row number in the Parquet file. data: the line, or the row."""

    offset: int
    data: bytes | dict[str, Any]


def read_shard(snapshot: Snapshot, shard: Shard, columns: dict[str, str]) -> Iterator[Raw]:
    """Yield the shard's records in order.

    Args:
        snapshot: where the file lies.
        shard: which part of it.
        columns: the columns that a Parquet file must have, by name and type.

    Raises:
        UpstreamError: the file is gone or changed, is no JSON Lines or no Parquet, lacks columns, or ends too early.
    """
    place = f"{shard.repo}/{shard.file}"
    try:
        with _open(snapshot, shard) as handle:
            if shard.file.endswith(".parquet"):
                yield from _rows(handle, shard, columns, place)
            else:
                yield from _lines(handle, shard, place)
    except OSError as error:
        msg = f"{place}: cannot be read: {type(error).__name__}: {error}"
        raise UpstreamError(msg) from error


def _open(snapshot: Snapshot, shard: Shard) -> IO[bytes]:
    if snapshot.root is not None:
        import fsspec

        fs, base = fsspec.core.url_to_fs(snapshot.root)
        return fs.open(f"{base.rstrip('/')}/{shard.repo}/{shard.file}", "rb")  # type: ignore[no-any-return]
    from huggingface_hub import HfFileSystem, constants, try_to_load_from_cache

    commit = snapshot.commits[shard.repo]
    cached = try_to_load_from_cache(shard.repo, shard.file, repo_type="dataset", revision=commit)
    if isinstance(cached, str):
        return open(cached, "rb")
    if constants.HF_HUB_OFFLINE:
        msg = (
            f"{shard.repo}/{shard.file}: offline (HF_HUB_OFFLINE), and the file is not in the hub cache; go online, or run "
            f"`hf download --repo-type dataset {shard.repo} --revision {commit}` beforehand"
        )
        raise UpstreamError(msg)
    fs = HfFileSystem(endpoint=snapshot.endpoint, token=snapshot.token)
    path = f"datasets/{shard.repo}@{commit}/{shard.file}"
    return fs.open(path, "rb", block_size=_BLOCK)  # type: ignore[no-any-return]


def _lines(handle: IO[bytes], shard: Shard, place: str) -> Iterator[Raw]:
    if shard.start > 0:
        handle.seek(shard.start - 1)
        at = shard.start - 1 + len(handle.readline())
    else:
        at = 0
    while at < shard.stop:
        line = handle.readline()
        if not line:
            msg = f"{place}: ends at byte {at} of {shard.size}; the file changed or arrived in part"
            raise UpstreamError(msg)
        if at == 0:
            _check_first(line, place)
        if not line.endswith(b"\n"):
            _check_last(line, at, place)
        if line.strip():
            yield Raw(at, line)
        at += len(line)


def _check_first(line: bytes, place: str) -> None:
    if line.strip() and line.lstrip()[:1] != b"{":
        msg = f"{place}: is no JSON Lines file; begins with {line[:40]!r}, expected an object on every line"
        raise UpstreamError(msg)


def _check_last(line: bytes, at: int, place: str) -> None:
    """A last line without its newline is fine if it is whole, and half a download if it is not."""
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeError):
        if not line.rstrip().endswith(b"}"):
            msg = f"{place}: the last line, at byte {at}, is cut off ({line[-40:]!r}); the file arrived in part"
            raise UpstreamError(msg) from None


def _rows(handle: IO[bytes], shard: Shard, columns: dict[str, str], place: str) -> Iterator[Raw]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(handle, pre_buffer=False)
    except pa.ArrowInvalid as error:
        msg = f"{place}: is no Parquet file: {error}"
        raise UpstreamError(msg) from error
    _check_columns(file.schema_arrow, columns, place)
    at = 0
    for index in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(index)
        if shard.start <= _group_start(group) < shard.stop:
            offset = at
            for batch in file.iter_batches(batch_size=_BATCH, row_groups=[index], columns=list(columns)):
                for row in batch.to_pylist():
                    yield Raw(offset, row)
                    offset += 1
        at += group.num_rows


def _group_start(group: Any) -> int:
    """Byte offset of a row group: of its first column's first page."""
    column = group.column(0)
    return int(column.dictionary_page_offset or column.data_page_offset)


def _check_columns(schema: Any, columns: dict[str, str], place: str) -> None:
    """Hold the file's columns to the expected ones by name and kind of type; further columns do no harm."""
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
            told = ", ".join(f"{n} {t}" for n, t in columns.items())
            msg = f"{place}: column {name!r} is {found}, expected {kind}; expected columns are {told}"
            raise UpstreamError(msg)
