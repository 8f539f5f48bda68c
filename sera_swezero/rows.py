"""The rows of a config, converted one by one while they are read. Needs neither `datasets` nor a cache.

rows = sera_swezero.iter_rows("glm-4.6-lite-t2", upstream="sample")
for row in rows:
    ...
print(rows.report)  # 70 rows in, 57 out, rejected: ...
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from copy import deepcopy
from dataclasses import replace
from typing import Any, Unpack

import msgspec

from sera_swezero.convert import Converted, Reject, convert_window
from sera_swezero.errors import ConfigError, RowError
from sera_swezero.report import Report, log_pass
from sera_swezero.request import filters
from sera_swezero.request.arguments import ArgumentsDict
from sera_swezero.request.request_snapshot import snapshot_of
from sera_swezero.request.row_columns import columns, raw_columns
from sera_swezero.request.settle import Request, settle
from sera_swezero.upstream import DEFAULT_SHARD_BYTES, Raw, Snapshot, plan_shards, row_group_starts
from sera_swezero.upstream.window_reader import WindowReader
from sera_swezero.upstream.windows import Record, join_windows, plan_windows
from sera_swezero.views import Row


def iter_rows(
    name: str | None = None, *, token: str | bool | None = None, **arguments: Unpack[ArgumentsDict]
) -> RowIterator:
    """Iterate over the rows of a config, as `load_dataset` streams them: the same rows in the same order.

    Args:
        name: a config name, such as "glm-4.6-lite-t2" or "sera-openai"; None means "sera".
        token: for gated or private upstream repos; None stands for HF_TOKEN or the stored login.
        **arguments: the fields of `Arguments`, such as `view`, `min_recall` or `upstream`.

    Raises:
        ConfigError: an unknown config, argument or value, or two arguments that make no sense together.
        UpstreamError: the upstream cannot be resolved; also while iterating, where it cannot be read.
    """
    return RowIterator(settle(name, **arguments), token=token)


class RowIterator(Iterator[Row]):
    """The rows of a request, in order. Nothing is read before the first row is asked for.

    Args:
        request: what to convert.
        token: for gated or private upstream repos; None stands for HF_TOKEN or the stored login.
        on_reject: gets the error and the raw record whenever a record is rejected.

    Raises:
        UpstreamError: the upstream cannot be resolved; also while iterating, where it cannot be read.
        ConfigError: a file that the request names, such as `dedup`, cannot be read or does not fit.
        RowError: while iterating, for a record that cannot become a row, with `on_error="raise"`.
    """

    def __init__(self, request: Request, *, token: str | bool | None = None, on_reject: Reject | None = None) -> None:
        self.request = request
        self.snapshot = snapshot_of(request, token=token)
        """The upstream commits and files that are read."""
        filters.check(request, self.snapshot)
        self.report = Report()
        """What happened to the records so far. Complete when the last row is out, or after `close`."""
        self._rows = self._parsed(convert_records(request, self.snapshot, self.report, on_reject))

    def __iter__(self) -> RowIterator:
        return self

    def __next__(self) -> Row:
        return next(self._rows)

    def close(self) -> None:
        """Stop here, with what was read counted in the report."""
        self._rows.close()

    def _parsed(self, converted: Generator[tuple[Record, Converted]]) -> Generator[Row]:
        json_columns = [name for name, kind in columns(self.request).items() if kind == "json"]
        parse = msgspec.json.Decoder().decode
        with closing(converted):
            for _, made in converted:
                row = made.text_row
                for name in json_columns:
                    row[name] = [parse(text) for text in row[name]]
                yield row


def convert_records(
    request: Request, snapshot: Snapshot, report: Report, on_reject: Reject | None = None
) -> Generator[tuple[Record, Converted]]:
    """Convert every record of the request's origins; yield each record that becomes a row, with the row.

    Args:
        request: what to convert, and in which order.
        snapshot: where to read; may have files of other origins, which are left out.
        report: counts what happens to the records; complete when the last row is out.
        on_reject: gets the error and the raw record whenever a record is rejected.
    """
    arguments, repos = request.arguments, {origin.repo for origin in request.origins}
    snapshot = replace(snapshot, files=tuple(file for file in snapshot.files if file.repo in repos))
    # The order of a shuffled stream depends on how shards are cut, which depends on where row groups start.
    starts = row_group_starts(snapshot) if arguments.shuffle_seed is not None else None
    shard_bytes = arguments.shard_bytes or DEFAULT_SHARD_BYTES
    shards = plan_shards(snapshot.files, shard_bytes, starts)
    windows = plan_windows(shards, arguments.shuffle_seed, arguments.epoch, starts)
    before = deepcopy(report)
    for window, *_ in join_windows(windows, shard_bytes):
        records = WindowReader(snapshot, window, raw_columns(request))
        yield from convert_window(window, records, snapshot, request, report, on_reject)
    log_pass(request.name, report.since(before))


def find_row(request: Request, number: int = 0, instance_id: str | None = None) -> Row:
    """Find one row: the one of this instance id that comes first, or else the one of this number, counted from 0.

    Raises:
        ConfigError: there is no such row; says why, if the record of that instance was rejected.
    """
    rejected: list[RowError] = []

    def note(error: RowError, raw: Raw) -> None:
        if instance_id is not None and _instance_id(raw.data) == instance_id:
            rejected.append(error)

    rows = RowIterator(request, on_reject=note)
    for position, row in enumerate(rows):
        if position == number if instance_id is None else row["instance_id"] == instance_id:
            return row
    if instance_id is None:
        msg = f"no row {number}: {request.name} has {rows.report.rows_out} rows, counted from 0 ({rows.report})"
    elif rejected:
        msg = f"the record of {instance_id!r} was rejected: {rejected[0]}"
    else:
        msg = f"no row with instance_id {instance_id!r} in {request.name} ({rows.report})"
    raise ConfigError(msg)


def _instance_id(data: bytes | dict[str, Any]) -> Any:
    """The instance id of a raw record, None for a record that has none."""
    try:
        record = msgspec.json.decode(data) if isinstance(data, bytes) else data
    except (msgspec.DecodeError, UnicodeError):
        return None
    return record.get("instance_id") if isinstance(record, dict) else None
