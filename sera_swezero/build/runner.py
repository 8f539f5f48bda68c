"""Build configs: build the units of the jobs that no earlier run has finished, then write manifest and card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Unpack

from sera_swezero.build import card, folder, manifest, parquet_writer, unit_files
from sera_swezero.build.card_facts import CardFacts
from sera_swezero.build.jobs import SHARD_BYTES, Job, plan
from sera_swezero.build.manifest import BuiltConfig, BuiltShard, Manifest
from sera_swezero.build.worker_pool import run
from sera_swezero.display.outputs import writing
from sera_swezero.errors import BuildError, ConfigError
from sera_swezero.loading.dataset_infos import JSON_LEAVES
from sera_swezero.report import log_pass
from sera_swezero.request.arguments import RowArgumentsDict
from sera_swezero.request.identity import ROWS_VERSION, describe
from sera_swezero.request.row_columns import columns
from sera_swezero.version import __version__


def build(  # noqa: PLR0913 (the command's options, by the same names)
    names: Sequence[str],
    out: Path,
    *,
    views: Sequence[str] = (),
    max_rows: int | None = None,
    shard_bytes: int = SHARD_BYTES,
    workers: int | None = None,
    bars: bool = False,
    card: CardFacts | None = None,
    redact: bool = False,
    **arguments: Unpack[RowArgumentsDict],
) -> Manifest:
    """Build configs into `out`. What an earlier run finished is used as it is, and other configs in `out` stay.

    Args:
        names: config names. A union of sets, such as "sera", is built as its sets, without those whose rows are all in
            others of them.
        out: the directory; it is made if need be.
        views: the views to build each config in; none means each config's default view.
        max_rows: build at most so many rows of each config, its first ones, in one file.
        shard_bytes: raw bytes of a shard.
        workers: the number of processes, this one included; None means one per core that this process may use.
        bars: show progress on standard error, if that is a terminal.
        card: what the card says about your own runs.
        redact: replace the secrets that are found in your own runs.
        **arguments: the fields of `Arguments` that decide rows, as `load_dataset` takes them. For a union, `teacher`,
            `scale` and `rollout` choose the sets that are built.

    Returns:
        The manifest of everything in `out`.

    Raises:
        ConfigError: a name or value does not exist, the arguments let no row through, a file of `dedup` was made from
            other data, or `card` or `redact` is given for a set of the catalog, whose facts are known and whose rows
            are public already.
        UpstreamError: upstream cannot be resolved or read.
        PublishError: `out` holds files that no build wrote.
        OutputError: `out` or a file in it cannot be written.
        BuildError: another build into `out` is running, one of the processes was killed, or files that the manifest
            would list were removed.
        KeyboardInterrupt: interrupted; finished shards stay, and the next run goes on from there.
    """
    if max_rows is not None and max_rows < 1:
        msg = f"max_rows={max_rows}; at least one row was expected"
        raise ConfigError(msg)
    jobs = plan(names, views, arguments, shard_bytes, max_rows, card=card, redact=redact)
    return build_jobs(jobs, out, max_rows, workers, bars=bars)


def build_jobs(
    jobs: Sequence[Job], out: Path, max_rows: int | None = None, workers: int | None = None, *, bars: bool = False
) -> Manifest:
    """Build what `plan` settled; arguments, result and errors are those of `build`."""
    with writing(out), folder.claim(out) as before:
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
        card=job.card,
    )


def _check_files(out: Path, after: Manifest) -> None:
    """Check that the files that the manifest will list are there. Raises BuildError."""
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
    """Remove the files that only the last manifest lists; nothing else in the folder is ours."""
    kept = {file.path for file in after.files}
    for file in before.files:
        if file.path not in kept:
            (out / file.path).unlink(missing_ok=True)
