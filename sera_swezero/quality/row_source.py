"""Where the rows come from: a config, converted while it is read, or a folder of Parquet. A row at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

from sera_swezero.catalog import CONFIGS
from sera_swezero.errors import ConfigError, UpstreamError
from sera_swezero.quality.row_summary import VIEWS_READ, Shape
from sera_swezero.quality.tally import Records
from sera_swezero.request.arguments import NARROWING, ArgumentsDict
from sera_swezero.request.config_names import config_names, split_name
from sera_swezero.request.kept_rows import Place
from sera_swezero.request.settle import settle
from sera_swezero.sources import SOURCES
from sera_swezero.views import VIEWS, Row

if TYPE_CHECKING:
    from sera_swezero.report import Report
    from sera_swezero.request.settle import Request

_BATCH = 32  # Parquet rows that are Python objects at a time


class Found(NamedTuple):
    """One row, the set that it is of, and where it stands. done: share of all bytes that have been read, 0 to 1."""

    set: str
    shape: Shape
    place: Place
    row: Row
    done: float


@dataclass
class Told:
    """What is known of a set beside its rows, once these have been read."""

    records: Records
    conversions: dict[str, int]


@dataclass
class Rows:
    """All rows of a config or folder.

    told: by set, filled while reading. made_from: what a file of kept rows says of them, likewise.
    """

    name: str
    view: str | None = None
    told: dict[str, Told] = field(default_factory=dict)
    made_from: dict[str, Any] = field(default_factory=dict)

    def read(self) -> Iterator[Found]:
        """Every row in order. Raises UpstreamError or ConfigError."""
        raise NotImplementedError


def open_rows(target: str, **arguments: Unpack[ArgumentsDict]) -> Rows:
    """The rows of a config name, or of a folder of Parquet that has rows of the view rectified or native.

    Args:
        target: a config name; or a folder, such as `sera-swezero build` makes.
        **arguments: for a config, the fields of `Arguments`.

    Raises:
        ConfigError: neither; a view that holds no whole rollouts; or arguments for a folder.
    """
    folder = Path(target).expanduser()
    if target not in config_names() and folder.is_dir():
        given = ", ".join(name for name, value in arguments.items() if value is not None)
        if given:
            msg = f"{target} is a folder, whose rows are read as they are; {given} is for configs"
            raise ConfigError(msg)
        return _Folder(folder.name or str(folder), folder=folder)
    request = settle(target, **arguments)
    if request.view.name not in VIEWS_READ:
        msg = f"{target} is in the view {request.view.name!r}; statistics are of the views {' and '.join(VIEWS_READ)}"
        raise ConfigError(msg)
    return _Config(request.name, request.view.name, request=request)


@dataclass
class _Config(Rows):
    request: Request = field(kw_only=True)

    def read(self) -> Iterator[Found]:
        from sera_swezero.report import Report
        from sera_swezero.rows import convert_records
        from sera_swezero.upstream import take_snapshot

        arguments = self.request.arguments
        snapshot = take_snapshot(self.request.origins, upstream=arguments.upstream, revision=arguments.revision)
        self.made_from |= {
            "commits": dict(snapshot.commits),
            "files": {f"{file.repo}/{file.path}": file.size for file in snapshot.files},
        }
        sizes = [file.size for file in snapshot.files]
        before = {(file.repo, file.path): sum(sizes[:at]) for at, file in enumerate(snapshot.files)}
        for origin in self.request.origins:
            report, shape = Report(), Shape(SOURCES[origin.source], self.request.view.name, dict(origin.facts))
            for record, converted in convert_records(replace(self.request, origins=(origin,)), snapshot, report):
                shard, row = record.shard, converted.text_row
                place = Place(row["instance_id"], shard.repo, shard.file, record.raw.offset)
                done = (before[shard.repo, shard.file] + shard.start) / snapshot.bytes
                yield Found(origin.name, shape, place, row, done)
            self.told[origin.name] = _told(report)


def _told(report: Report) -> Told:
    records = Records(report.rows_in, report.rows_out, dict(report.filtered_by), dict(report.rejected))
    return Told(records, dict(report.conversions))


@dataclass
class _Folder(Rows):
    folder: Path = field(kw_only=True)

    def read(self) -> Iterator[Found]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        files = [path for path in sorted(self.folder.rglob("*.parquet")) if self._is_data(path)]
        if not files:
            msg = (
                f"{self.folder}: no Parquet files; expected what `sera-swezero build` writes, or a folder of such rows"
            )
            raise ConfigError(msg)
        self._read_manifest()
        sizes = [path.stat().st_size for path in files]
        self.made_from["files"] = {}
        for index, path in enumerate(files):
            place = path.relative_to(self.folder).as_posix()
            try:
                with pq.ParquetFile(path, pre_buffer=False) as file:
                    shape = _shape(file.schema_arrow, str(path))
                    name, facts = self._set(path)
                    before, size = sum(sizes[:index]), max(1, file.metadata.num_rows)
                    offset = 0
                    for batch in file.iter_batches(batch_size=_BATCH):
                        for row in batch.to_pylist():
                            known = facts or {key: row[key] for key in NARROWING if key in row}
                            done = (before + sizes[index] * offset / size) / sum(sizes)
                            at = Place(row["instance_id"], "", place, offset)
                            mine = Shape(shape.source, shape.view, known)
                            yield Found(name or _named(known) or self.name, mine, at, row, done)
                            offset += 1
            except (OSError, pa.ArrowInvalid) as error:
                msg = f"{path}: cannot be read as Parquet: {error}"
                raise UpstreamError(msg) from error

    def _is_data(self, path: Path) -> bool:
        """Not a folder of rejected rows, and nothing hidden."""
        parents = path.relative_to(self.folder).parts[:-1]
        return not any(part.startswith(".") or part == "rejected" for part in parents)

    def _set(self, path: Path) -> tuple[str, dict[str, str]]:
        """The set that a file is of, by the config that its folder is named after, and that config's facts."""
        parents = [part for part in path.relative_to(self.folder).parts[:-1] if part != "data"]
        name = parents[-1] if parents else self.name
        if name not in config_names():
            return ("/".join(parents), {})
        origins = CONFIGS[split_name(name)[0]].origins
        return (name, dict(origins[0].facts)) if len(origins) == 1 else ("", {})

    def _read_manifest(self) -> None:
        from sera_swezero.build import manifest

        made = manifest.read(self.folder)
        for name, built in made.configs.items() if made else ():
            counts = built.counts
            filtered = {"filtered": counts.filtered} if counts.filtered else {}
            records = Records(counts.rows_in, counts.rows_out, filtered, dict(counts.rejected))
            self.told[name] = Told(records, dict(counts.conversions))


def _named(facts: dict[str, str]) -> str | None:
    """The set that has these facts: of rows that tell their teacher, scale and rollout themselves."""
    for config in CONFIGS.values():
        if facts and len(config.origins) == 1 and dict(config.origins[0].facts) == facts:
            return config.name
    return None


def _shape(schema: Any, place: str) -> Shape:
    """The source and view whose columns a file has; more columns (lineage) do no harm."""
    import pyarrow.types as kinds

    found = {field.name: "messages" if kinds.is_list(field.type) else "plain" for field in schema}
    told = []
    for source in SOURCES.values():
        for shape in source.native_columns:
            for view in VIEWS_READ:
                wanted = VIEWS[view].columns(source, shape)
                kinds_wanted = {name: "messages" if one.type == "messages" else "plain" for name, one in wanted.items()}
                if kinds_wanted.items() <= found.items():
                    return Shape(source, view)
                told.append(f"{view} {shape}: {', '.join(wanted)}")
    msg = f"{place}: columns {', '.join(found)} are of no view that statistics are of; expected those of " + "; ".join(
        told
    )
    raise ConfigError(msg)
