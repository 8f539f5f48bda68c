"""Where the rows come from: a config, converted while it is read, or files of Parquet. One row at a time."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, Unpack

from sera_swezero.catalog import CONFIGS
from sera_swezero.check.contracts import contracts, describe_contracts, recognise
from sera_swezero.check.row_files import Unreadable, open_file
from sera_swezero.check.row_paths import RowFile, find_files, is_url, read_beside
from sera_swezero.errors import ConfigError, UpstreamError
from sera_swezero.quality.kept_within import kept_within
from sera_swezero.quality.row_summary import RowKind
from sera_swezero.report import Report
from sera_swezero.request.arguments import ARGUMENTS, NARROWING, ArgumentsDict
from sera_swezero.request.config_names import config_names, split_name
from sera_swezero.request.kept_rows import Place
from sera_swezero.request.request_snapshot import snapshot_of
from sera_swezero.request.settle import Request, settle
from sera_swezero.rows import convert_records
from sera_swezero.schemas.validate import Fault
from sera_swezero.sources import SOURCES
from sera_swezero.views import VIEWS, Row


class PlacedRow(NamedTuple):
    """One row and where it is."""

    set: str
    """The set that it is of."""
    kind: RowKind
    place: Place
    row: Row
    done: float
    """Share of all bytes that have been read, 0 to 1."""
    kept: dict[str, int] | None = None
    """What the limit of tokens would keep of it (see `kept_within`); None where there is no limit."""


@dataclass
class RowSource:
    """All rows of a config or of files."""

    name: str
    max_tokens: int | None = None
    """The limit in tokens that the statistics try; None for none."""
    tokenizer: str = ""
    """The tokenizer that counts the tokens: a hub id, a folder or a file."""
    reports: dict[str, Report] = field(default_factory=dict)
    """What became of the records, by set: complete once the rows have been read, empty where nothing says it."""
    made_from: dict[str, Any] = field(default_factory=dict)
    """What a file of kept rows says about the origin of its rows: complete once the rows have been read."""
    upstream: dict[str, str] = field(default_factory=dict)
    """What was read, as in `Snapshot.upstream`: complete once the rows have been read, empty where nothing says it."""

    @abstractmethod
    def read(self) -> Iterator[PlacedRow]:
        """Every row in order. Raises UpstreamError or ConfigError."""


def open_rows(target: str, **arguments: Unpack[ArgumentsDict]) -> RowSource:
    """The rows of a config name, or of Parquet files with rows of the view rectified or native.

    Args:
        target: a config name; or a file or a folder, such as `sera-swezero build` makes, also as an fsspec URL.
        **arguments: for a config, the fields of `Arguments`. Here `max_tokens` and `tokenizer` change no row: the
            statistics count what they would keep.

    Raises:
        ConfigError: the target is neither, the view holds no whole rollouts, or there are arguments for files.
    """
    try:
        split_name(target)
    except ConfigError as error:
        return _files(target, arguments, no_config=error)
    max_tokens, tokenizer = arguments.pop("max_tokens", None), arguments.pop("tokenizer", None)
    if (max_tokens is None) != (tokenizer is None):
        msg = f"max_tokens={max_tokens!r} with tokenizer={tokenizer!r}: each needs the other"
        raise ConfigError(msg)
    if arguments.get("chat_template") is not None:
        msg = "statistics count tokens in SERA's form; leave chat_template out"
        raise ConfigError(msg)
    request = settle(target, **arguments)
    if not request.view.for_statistics:
        read = " and ".join(view.name for view in VIEWS.values() if view.for_statistics)
        msg = f"{target} is in the view {request.view.name!r}; statistics read the views {read}"
        raise ConfigError(msg)
    source = _Config(name=request.name, request=request)
    if max_tokens is not None:
        source.max_tokens = ARGUMENTS["max_tokens"].check(max_tokens)
        source.tokenizer = ARGUMENTS["tokenizer"].check(tokenizer)
    return source


def _files(target: str, arguments: ArgumentsDict, *, no_config: ConfigError) -> _Files:
    location = target if is_url(target) else Path(target).expanduser().absolute().as_posix()
    if not is_url(target) and not Path(location).exists():
        msg = f"no file or folder {target!r}, and {no_config}"
        raise ConfigError(msg)
    given = ", ".join(name for name, value in arguments.items() if value is not None)
    if given:
        msg = f"{target}: the rows of files are read as they are; {given} can only be given with a config"
        raise ConfigError(msg)
    return _Files(name=PurePosixPath(location).name or location, location=location)


@dataclass
class _Config(RowSource):
    request: Request = field(kw_only=True)

    def read(self) -> Iterator[PlacedRow]:
        snapshot = snapshot_of(self.request)
        self.upstream |= snapshot.upstream
        self.made_from |= {
            "commits": dict(snapshot.commits),
            "files": {file.place: file.size for file in snapshot.files},
        }
        sizes = [file.size for file in snapshot.files]
        before = {(file.repo, file.path): sum(sizes[:at]) for at, file in enumerate(snapshot.files)}
        for origin in self.request.origins:
            report, kind = Report(), RowKind(SOURCES[origin.source], self.request.view.name, dict(origin.facts))
            for record, converted in convert_records(replace(self.request, origins=(origin,)), snapshot, report):
                shard, row = record.shard, converted.text_row
                place = Place(row["instance_id"], shard.repo, shard.file, record.raw.offset)
                done = (before[shard.repo, shard.file] + shard.start) / snapshot.bytes
                limit = self.max_tokens
                kept = None if limit is None else kept_within(converted.view_input, limit, self.tokenizer)
                yield PlacedRow(origin.name, kind, place, row, done, kept)
            self.reports[origin.name] = report


@dataclass
class _Files(RowSource):
    location: str = field(kw_only=True)

    def read(self) -> Iterator[PlacedRow]:
        try:
            files = {file: file.size for file in find_files(self.location) if file.suffix == ".parquet"}
            self._read_manifest()
        except (OSError, ValueError, ImportError) as error:
            msg = f"{self.location}: cannot be read: {error}"
            raise UpstreamError(msg) from error
        if not files:
            msg = (
                f"{self.location}: no Parquet files; expected what `sera-swezero build` writes, or such rows elsewhere"
            )
            raise ConfigError(msg)
        self.made_from["files"] = {}
        before = 0
        for file, size in files.items():
            inside = PurePosixPath(file.name.removeprefix(self.location).lstrip("/") or self.name)
            name, facts = _set(file, inside)
            for number, (kind, row, done) in enumerate(read_file(file)):
                known = facts or {key: row[key] for key in NARROWING if row.get(key) is not None}
                place = Place(row["instance_id"], "", str(inside), number)
                mine = RowKind(kind.source, kind.view, known)
                share = (before + size * done) / sum(files.values())
                yield PlacedRow(name or _set_with(known) or self.name, mine, place, row, share)
            before += size

    def _read_manifest(self) -> None:
        from sera_swezero.build import manifest

        text = read_beside(self.location, manifest.MANIFEST)
        if text is not None:
            made = manifest.decode(text, f"{self.location}/{manifest.MANIFEST}")
            for name, built in made.configs.items():
                self.reports[name] = built.report
                self.upstream |= built.upstream


def read_file(file: RowFile) -> Iterator[tuple[RowKind, Row, float]]:
    """The rows of a Parquet file, each with its kind (without facts) and the share of the file that was read before it.

    Raises:
        UpstreamError: it is not Parquet. ConfigError: it has columns of no view that is read.
    """
    try:
        opened = open_file(file)
        kind = _kind(opened.kinds, file.name)
        for number, row in enumerate(opened.rows):
            if not isinstance(row, Fault):  # which no row of Parquet is
                yield kind, row, number / opened.row_count
    except Unreadable as error:
        msg = f"{file.name}: {error.found}; expected {error.expected}"
        raise UpstreamError(msg) from error


def _set(file: RowFile, inside: PurePosixPath) -> tuple[str, dict[str, str]]:
    """The set that a file belongs to, which is the config that its folder is named after, and the facts of the set."""
    name = next((part for part in reversed(PurePosixPath(file.name).parts[:-1]) if part != "data"), "")
    if name not in config_names():
        return ("/".join(part for part in inside.parts[:-1] if part != "data"), {})
    origins = CONFIGS[split_name(name)[0]].origins
    return (name, dict(origins[0].facts)) if len(origins) == 1 else ("", {})


def _set_with(facts: dict[str, str]) -> str | None:
    """The set that has these facts, for rows that name their teacher, scale and rollout."""
    for config in CONFIGS.values():
        if facts and len(config.origins) == 1 and dict(config.origins[0].facts) == facts:
            return config.name
    return None


def _kind(found: Mapping[str, str], place: str) -> RowKind:
    """The kind of the rows in a file with these columns. Further columns, such as those of lineage, do no harm."""
    among = [contract for contract in contracts().values() if VIEWS[contract.view].for_statistics]
    contract = recognise(found, among, forced=False)
    if contract is None or not contract.columns.keys() <= found.keys():
        msg = f"{place}: columns {', '.join(found)} belong to no view that statistics read; expected those of "
        raise ConfigError(msg + describe_contracts(among))
    return RowKind(SOURCES[contract.source], contract.view)
