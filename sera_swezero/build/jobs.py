"""What a build has to do: one job per config and view, and its units."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sera_swezero.build.card_facts import CardFacts
from sera_swezero.build.secret_scan import SecretScanner
from sera_swezero.build.unit_files import Unit
from sera_swezero.errors import ConfigError
from sera_swezero.request import filters
from sera_swezero.request.arguments import OF_SEVERAL_SETS, PATHS, RowArgumentsDict
from sera_swezero.request.benchmark_overlap import BUILT_IN
from sera_swezero.request.request_snapshot import snapshot_of
from sera_swezero.request.settle import Request, settle
from sera_swezero.upstream import Shard, Snapshot, format_of, plan_shards, row_group_starts

SHARD_BYTES = 256 * 1024 * 1024
"""Raw bytes of a published shard, about 40 MB of Parquet: SERA in some 160 files."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One published config that is to be built."""

    request: Request
    snapshot: Snapshot
    units: tuple[Unit, ...]
    card: CardFacts | None
    """What the card says about your own runs; None for a set of the catalog."""

    @property
    def own_files(self) -> int:
        """How many upstream files share no published file with others: all except files of one record each."""
        return sum(format_of(file.path).divisible for file in self.snapshot.files)


def plan(
    names: Sequence[str],
    views: Sequence[str],
    arguments: RowArgumentsDict,
    shard_bytes: int,
    max_rows: int | None,
    *,
    card: CardFacts | None = None,
    redact: bool = False,
) -> list[Job]:
    """Settle what is built: one job per config and view, with upstream resolved once per config.

    Raises:
        ConfigError, UpstreamError: as `build`.
    """
    jobs: dict[str, Job] = {}
    snapshots: dict[str, Snapshot] = {}
    scanner = SecretScanner().name if redact else ""
    for given in [given for name in names for given in _members(name, views, _portable(arguments))]:
        request = settle(**given)
        name, own = request.config.name, request.config.own
        if not own and (redact or card is not None):
            what = "its rows are public already" if redact else "its licence and its model are upstream's"
            msg = f"{name}: {what}; {'redacting is' if redact else 'facts for the card are'} for runs of your own"
            raise ConfigError(msg)
        if name not in snapshots:
            snapshots[name] = snapshot_of(request)
        filters.check(request, snapshots[name])
        units = _units(request, given, snapshots[name], shard_bytes, max_rows, scanner)
        facts = card or CardFacts() if own else None
        jobs[request.name] = Job(request=request, snapshot=snapshots[name], units=tuple(units), card=facts)
    return list(jobs.values())


def _members(name: str, views: Sequence[str], arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What `settle` is given for each set of a config that is built, in each view."""
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
    """The arguments as plain values, with absolute paths, since workers of a cluster start in other folders."""
    given = {name: os.fspath(value) if isinstance(value, os.PathLike) else value for name, value in arguments.items()}
    for name in PATHS:
        path = Path(str(given.get(name))).expanduser()
        if given.get(name) not in {None, *BUILT_IN} and path.exists():
            given[name] = str(path.absolute())
    return given


def _units(
    request: Request,
    arguments: Mapping[str, Any],
    snapshot: Snapshot,
    shard_bytes: int,
    max_rows: int | None,
    redact: str,
) -> Iterator[Unit]:
    # Parquet files that are larger than a shard are cut between their row groups.
    starts = row_group_starts(snapshot) if any(file.size > shard_bytes for file in snapshot.files) else None
    shards = plan_shards(snapshot.files, shard_bytes, starts, multiple=1)
    # `max_rows` counts rows from the first one on, so there is only one unit, which reads as far as it must.
    pieces = _together(shards, shard_bytes) if max_rows is None else [shards]
    files = {(file.repo, file.path): file for file in snapshot.files}
    for index, piece in enumerate(pieces):
        places = dict.fromkeys((shard.repo, shard.file) for shard in piece)
        yield Unit(
            name=request.name,
            index=index,
            count=len(pieces),
            arguments=arguments,
            shards=tuple(piece),
            snapshot=replace(snapshot, files=tuple(files[place] for place in places)),
            max_rows=max_rows,
            redact=redact,
        ).with_key(request)


def _together(shards: Sequence[Shard], shard_bytes: int) -> list[list[Shard]]:
    """The shards of each unit: a single one, or as many neighbouring files of one record as fit into `shard_bytes`."""
    pieces: list[list[Shard]] = []
    room = 0
    for shard in shards:
        if shard.size <= room and not format_of(shard.file).divisible:
            pieces[-1].append(shard)
            room -= shard.size
        else:
            pieces.append([shard])
            room = 0 if format_of(shard.file).divisible else shard_bytes - shard.size
    return pieces
