"""`sera-swezero show`: one row of a config as a person reads it."""

from __future__ import annotations

import json
import logging
from typing import Annotated, Any

import typer

from sera_swezero.cli import options as take
from sera_swezero.errors import ConfigError, RowError


def show(  # noqa: PLR0913 (the config's arguments, one option each)
    config: take.Config,
    *,
    row: Annotated[int | None, typer.Option("--row", min=0, help="Its number, counted from 0.")] = None,
    instance: Annotated[str | None, typer.Option("--id", help="The first row of this instance_id.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Show long texts whole.")] = False,
    view: take.View = None,
    submit: take.Submit = None,
    incomplete: take.Incomplete = None,
    on_error: take.OnError = None,
    teacher: take.Teacher = None,
    scale: take.Scale = None,
    rollout: take.Rollout = None,
    min_recall: take.MinRecall = None,
    lineage: take.Lineage = False,
    upstream: take.Upstream = None,
    revision: take.Revision = None,
    as_json: take.Json = False,
) -> None:
    """Show one trajectory: its columns, then every message; long observations are folded."""
    from sera_swezero.request.settle import settle

    if row is not None and instance is not None:
        msg = "--row and --id: one row is shown; give one of the two"
        raise ConfigError(msg)
    asked = settle(
        config,
        view=view,
        submit=submit,
        incomplete=incomplete,
        on_error=on_error,
        teacher=teacher,
        scale=scale,
        rollout=rollout,
        min_recall=min_recall,
        lineage=lineage,
        upstream=upstream,
        revision=revision,
    )
    found = find(asked, row or 0, instance)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    from rich.console import Console

    from sera_swezero.cli.row_printer import render

    render(found, Console(highlight=False), full=full)


def find(asked: Any, number: int, instance: str | None) -> dict[str, Any]:
    """The row of this number, or the first of this instance id. Raises ConfigError where there is none."""
    from sera_swezero.convert import convert_shard
    from sera_swezero.report import Report
    from sera_swezero.upstream import Raw, plan_shards, take_snapshot

    snapshot = take_snapshot(asked.origins, upstream=asked.upstream, revision=asked.revision)
    report, refused = Report(), []

    def note(error: RowError, raw: Raw) -> None:
        if instance is not None and _id_of(raw.data) == instance:
            refused.append(error)

    # Rejected rows are told below where they matter; a line a shard would only stand in the way of the row.
    logging.getLogger("sera_swezero").setLevel(logging.ERROR)
    at = 0
    for shard in plan_shards(snapshot.files):
        for _, converted in convert_shard(shard, snapshot, asked, report, note):
            row = converted.text_row
            if row["instance_id"] == instance if instance is not None else at == number:
                return row
            at += 1
    if instance is None:
        msg = f"no row {number}: {asked.name} has {at} rows, counted from 0 ({report})"
    elif refused:
        msg = f"the record of {instance!r} was rejected: {refused[0]}"
    else:
        msg = f"no row with instance_id {instance!r} in {asked.name} ({report})"
    raise ConfigError(msg)


def _id_of(data: bytes | dict[str, Any]) -> Any:
    try:
        record = json.loads(data) if isinstance(data, bytes) else data
    except ValueError:
        return None
    return record.get("instance_id") if isinstance(record, dict) else None
