"""Build configs: plan units, build those that no earlier run finished, write manifest and card."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

from sera_swezero.build import card, folder, manifest, parquet_writer, unit_files
from sera_swezero.build.manifest import BuiltConfig, BuiltShard, Manifest
from sera_swezero.build.unit_files import Unit
from sera_swezero.build.worker_pool import run
from sera_swezero.display.outputs import writing
from sera_swezero.errors import BuildError, ConfigError
from sera_swezero.loading.dataset_infos import JSON_LEAVES
from sera_swezero.report import log_pass
from sera_swezero.request import filters
from sera_swezero.request.arguments import OF_SEVERAL_SETS, PATHS, RowArgumentsDict
from sera_swezero.request.benchmark_overlap import BUILT_IN
from sera_swezero.request.identity import ROWS_VERSION, describe
from sera_swezero.request.request_snapshot import snapshot_of
from sera_swezero.request.row_columns import columns
from sera_swezero.request.settle import Request, settle
from sera_swezero.upstream import Snapshot, plan_shards, row_group_starts
from sera_swezero.version import __version__

SHARD_BYTES = 256 * 1024 * 1024
"""Raw bytes of a published shard, about 40 MB of Parquet: SERA in some 160 files."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One published config that is to be built."""

    request: Request
    snapshot: Snapshot
    units: tuple[Unit, ...]


def build(
    names: Sequence[str],
    out: Path,
    *,
    views: Sequence[str] = (),
    max_rows: int | None = None,
    shard_bytes: int = SHARD_BYTES,
    workers: int | None = None,
    bars: bool = False,
    **arguments: Unpack[RowArgumentsDict],
) -> Manifest:
    """Build configs into `out`. What an earlier run finished is used as it is, and other configs in `out` stay.

    Args:
        names: config names. A union of sets, such as "sera", is built as its sets, but for those whose rows others of
            them hold, too.
        out: the directory; it is made if need be.
        views: the views to build each in; none means each config's default view.
        max_rows: at most so many rows of each config, its first ones, in one file.
        shard_bytes: raw bytes of a shard.
        workers: processes, this one among them; None means one per core that this process may use.
        bars: show progress on standard error, if that is a terminal.
        **arguments: the fields of `Arguments` that decide rows, as `load_dataset` takes them. Of a union, `teacher`,
            `scale` and `rollout` choose the sets that are built.

    Returns:
        The manifest of everything in `out`.

    Raises:
        ConfigError: a name or value that does not exist, or arguments that let no row through.
        UpstreamError: upstream cannot be resolved or read.
        PublishError: `out` holds files that no build wrote.
        OutputError: `out` or a file in it cannot be written.
        BuildError: another build into `out` is running, one of the processes was killed, or files were removed that
            the manifest would list.
        KeyboardInterrupt: interrupted; finished shards stay, and the next run goes on from there.
    """
    if max_rows is not None and max_rows < 1:
        msg = f"max_rows={max_rows}; at least one row was expected"
        raise ConfigError(msg)
    return build_jobs(plan(names, views, arguments, shard_bytes, max_rows), out, max_rows, workers, bars=bars)


def build_jobs(
    jobs: Sequence[Job], out: Path, max_rows: int | None = None, workers: int | None = None, *, bars: bool = False
) -> Manifest:
    """Build what `plan` settled; the rest is as for `build`."""
    with writing(out), folder.claim(out) as before:
        return _build(jobs, out, before, max_rows, workers, bars=bars)


def _build(
    jobs: Sequence[Job], out: Path, before: Manifest | None, max_rows: int | None, workers: int | None, *, bars: bool
) -> Manifest:
    done = run([unit for job in jobs for unit in job.units], out, workers, bars=bars)
    built = {job.request.name: built_config(job, done, max_rows) for job in jobs}
    for name, config in built.items():
        log_pass(name, config.report)
        if not config.rows:
            why = dict(config.report.rejected) or "all filtered"
            msg = f"{name}: not one of {config.report.rows_in} records became a row: {why}"
            raise ConfigError(msg)
    after = manifest.merge(before, manifest.make(built))
    _check_files(out, after)
    _publishable(out, after)
    if before is not None:
        _remove_stale(out, before, after)
    return after


def plan(
    names: Sequence[str], views: Sequence[str], arguments: RowArgumentsDict, shard_bytes: int, max_rows: int | None
) -> list[Job]:
    """Settle what is built: one job per config and view, with upstream resolved once per config.

    Raises:
        ConfigError, UpstreamError: as `build`; also for a file of `dedup` that was made from other data.
    """
    jobs: dict[str, Job] = {}
    snapshots: dict[str, Snapshot] = {}
    for given in [given for name in names for given in _members(name, views, _portable(arguments))]:
        request = settle(**given)
        name = request.config.name
        if name not in snapshots:
            snapshots[name] = snapshot_of(request)
        filters.check(request, snapshots[name])
        units = _units(request, given, snapshots[name], shard_bytes, max_rows)
        jobs[request.name] = Job(request=request, snapshot=snapshots[name], units=tuple(units))
    return list(jobs.values())


def _members(name: str, views: Sequence[str], arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What `settle` is given for each set that is built of a config, in each view."""
    for view in views or (arguments.get("view"),):
        given = {**arguments, "name": name, "view": view}
        whole = settle(**given)
        if len(whole.config.origins) == 1:
            yield given
            continue
        alone = {argument: value for argument, value in given.items() if argument not in OF_SEVERAL_SETS}
        for origin in (origin for origin in whole.origins if origin.name not in whole.repeated):
            yield {**alone, "name": origin.name, "view": whole.view.name}


def _portable(arguments: RowArgumentsDict) -> dict[str, Any]:
    """The arguments as plain values, and paths absolute: workers of a cluster start in other folders."""
    given = {name: os.fspath(value) if isinstance(value, os.PathLike) else value for name, value in arguments.items()}
    for name in PATHS:
        path = Path(str(given.get(name))).expanduser()
        if given.get(name) not in {None, *BUILT_IN} and path.exists():
            given[name] = str(path.absolute())
    return given


def _units(
    request: Request, arguments: Mapping[str, Any], snapshot: Snapshot, shard_bytes: int, max_rows: int | None
) -> Iterator[Unit]:
    # Parquet files that are larger than a shard are cut between their row groups.
    starts = row_group_starts(snapshot) if any(file.size > shard_bytes for file in snapshot.files) else None
    shards = plan_shards(snapshot.files, shard_bytes, starts, multiple=1)
    # A cap counts rows from the first on, so one unit reads as far as it must.
    pieces = [(shard,) for shard in shards] if max_rows is None else [tuple(shards)]
    files = {(file.repo, file.path): file for file in snapshot.files}
    for index, piece in enumerate(pieces):
        places = dict.fromkeys((shard.repo, shard.file) for shard in piece)
        yield Unit(
            name=request.name,
            index=index,
            count=len(pieces),
            arguments=arguments,
            shards=piece,
            snapshot=replace(snapshot, files=tuple(files[place] for place in places)),
            max_rows=max_rows,
        ).with_key(request)


def built_config(job: Job, done: Mapping[str, BuiltShard], max_rows: int | None) -> BuiltConfig:
    """What the manifest says of a config whose units are done."""
    types = columns(job.request)
    return BuiltConfig(
        config=job.request.config.name,
        view=job.request.view.name,
        described=describe(job.request),
        upstream=job.snapshot.upstream,
        converter={"version": __version__, "rows_version": str(ROWS_VERSION)},
        writer=parquet_writer.WRITER,
        columns=list(types.items()),
        json=JSON_LEAVES in types.values(),
        max_rows=max_rows,
        shards=[done[unit.stem] for unit in job.units],
    )


def _check_files(out: Path, after: Manifest) -> None:
    """Check that the files are there that the manifest will list. Raises BuildError."""
    missing = {
        name: [file.path for file in built.files if not unit_files.present(out, file)]
        for name, built in after.configs.items()
    }
    again = [name for name, paths in missing.items() if paths]
    if again:
        count = sum(map(len, missing.values()))
        msg = (
            f"{out} no longer holds {count} of the files that were built, such as {missing[again[0]][0]}; "
            f"build {', '.join(again)} again"
        )
        raise BuildError(msg)


def _publishable(out: Path, after: Manifest) -> None:
    """Write the manifest and its card, each aside and renamed."""
    for name, content in ((manifest.MANIFEST, manifest.encode(after)), (manifest.CARD, card.render(after).encode())):
        aside = out / unit_files.STATE / name
        aside.write_bytes(content)
        unit_files.put(aside, out / name)


def _remove_stale(out: Path, before: Manifest, after: Manifest) -> None:
    """Remove the files that the last manifest lists and the new one does not; nothing else in the folder is ours."""
    kept = {file.path for file in after.files}
    for file in before.files:
        if file.path not in kept:
            (out / file.path).unlink(missing_ok=True)
