"""The `datasets` builder: configs, features, shards; converts on the fly while it is read.

Public API of `datasets` only, the same code on 3.6, 4.x and 5.x.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import sys
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import datasets
from datasets import Features, GeneratorBasedBuilder, SplitGenerator, Value

from sera_swezero import configs
from sera_swezero.convert import Report, columns, convert_shard, converter_digest, describe
from sera_swezero.errors import ConfigError
from sera_swezero.notes import CONVERSIONS
from sera_swezero.upstream import DEFAULT_SHARD_BYTES, Shard, plan_shards, take_snapshot
from sera_swezero.version import __version__
from sera_swezero.views import Row

_LOG = logging.getLogger("sera_swezero")


_VERSION = datasets.Version(__version__)


@dataclasses.dataclass
class SeraSweZeroConfig(datasets.BuilderConfig):  # type: ignore[misc]
    """What may be asked of a config; every field but `name` is optional. `configs.Request` says what each means.

    view: "rectified", "native" or a training view. submit: "call" or "answer". incomplete: "keep" or "reject" rows that
    were not submitted. on_error: "skip" or "raise". teacher, scale, rollout: narrow `sera`. min_recall: least
    line-level recall. lineage: add where each row came from. upstream: a root instead of the hub, or "sample".
    revision: commit, tag, mapping or lock file. shard_bytes: raw bytes of a shard. max_tokens: the most tokens of a row,
    counted with tokenizer (hub id, folder or file); overlong: "drop" or "truncate" a longer one.
    """

    view: str | None = None
    submit: str | None = None
    incomplete: str | None = None
    on_error: str | None = None
    teacher: str | None = None
    scale: str | None = None
    rollout: str | None = None
    min_recall: float | None = None
    lineage: bool = False
    upstream: str | None = None
    revision: str | Mapping[str, str] | None = None
    shard_bytes: int | None = None
    max_tokens: int | None = None
    tokenizer: str | None = None
    overlong: str | None = None


_ARGUMENTS = tuple(
    field.name
    for field in dataclasses.fields(SeraSweZeroConfig)
    if field.name not in {base.name for base in dataclasses.fields(datasets.BuilderConfig)}
)


class SeraSweZero(GeneratorBasedBuilder):  # type: ignore[misc]
    """Rectified agent trajectories of SERA and SWE-ZERO.

    Takes the config's name as `config_name` and the fields of `SeraSweZeroConfig` as keyword arguments. Making one
    resolves the upstream revision to a commit, which becomes part of the cache's key.

    Raises:
        ConfigError: an unknown config, argument or value.
        UpstreamError: the upstream cannot be resolved.
    """

    VERSION = _VERSION
    BUILDER_CONFIG_CLASS = SeraSweZeroConfig
    BUILDER_CONFIGS: ClassVar[list[SeraSweZeroConfig]] = [
        SeraSweZeroConfig(name=name, version=_VERSION, description=configs.CONFIGS[configs.split_name(name)[0]].about)
        for name in configs.config_names()
    ]
    DEFAULT_CONFIG_NAME = configs.DEFAULT
    DEFAULT_WRITER_BATCH_SIZE = 64  # rows of some 100 KB each: 1000, the library's default, would buffer 100 MB

    def __init__(self, cache_dir: str | None = None, config_name: str | None = None, **kwargs: Any) -> None:
        arguments = _take_arguments(kwargs)
        # datasets streams zero rows in silence from arguments without a name: always give one.
        name = config_name or configs.DEFAULT
        asked = {key: value for key, value in arguments.items() if key != "shard_bytes"}
        self.request = configs.request(name, **asked)
        self.shard_bytes = _check_shard_bytes(arguments.get("shard_bytes"))
        self.snapshot = take_snapshot(
            self.request.origins,
            upstream=self.request.upstream,
            revision=self.request.revision,
            token=kwargs.get("token"),
        )
        self.report = Report()
        kwargs["hash"] = self._digest()
        super().__init__(cache_dir=cache_dir, config_name=name, **kwargs, **arguments)

    def _digest(self) -> str:
        """The cache's key beyond the arguments: converter, upstream commits and files, settled request."""
        told = [converter_digest(), self.snapshot.digest, describe(self.request)]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def _info(self) -> datasets.DatasetInfo:
        origins = self.request.origins
        return datasets.DatasetInfo(
            description=f"{self.request.config.about}; view {self.request.view.name}",
            features=features(columns(self.request)),
            homepage=f"https://huggingface.co/datasets/{origins[0].repo}",
            license=", ".join(sorted({origin.license for origin in origins})),
        )

    def _split_generators(self, dl_manager: Any) -> list[SplitGenerator]:
        if not dl_manager.is_streaming:
            self._tell_size()
        shards = plan_shards(self.snapshot.files, self.shard_bytes)
        return [SplitGenerator(name=datasets.Split.TRAIN, gen_kwargs={"shards": shards})]

    def _generate_examples(self, shards: list[Shard]) -> Iterator[tuple[str, Row]]:
        for shard in shards:
            yield from convert_shard(shard, self.snapshot, self.request, self.report)

    def _tell_size(self) -> None:
        """Say what a plain load costs before it starts: it reads every raw byte and writes about as many."""
        raw = self.snapshot.bytes
        verb = "read" if self.snapshot.root is not None else "download"
        if datasets.utils.logging.is_progress_bar_enabled():
            sys.stderr.write(
                f"{self.request.name}: {verb}s {size(raw)} in {len(self.snapshot.files)} file(s), "
                f"writes about {size(raw * 4 // 5)} to {self.cache_dir}\n"
            )


def features(described: Mapping[str, str]) -> Features:
    """The `datasets` features of columns given by name and type (`views.Columns`)."""
    # A list in brackets is read by every version of datasets as a list of structs; `List` is not there before 4.0.
    nested: dict[str, Any] = {
        "messages": [{"role": Value("string"), "content": Value("string")}],
        "trained_messages": [{"role": Value("string"), "content": Value("string"), "train": Value("bool")}],
        "conversations": [{"from": Value("string"), "value": Value("string")}],
        "counts": {kind: Value("int32") for kind in CONVERSIONS},
    }
    if hasattr(datasets, "Json"):
        nested["json"] = [datasets.Json()]
    kinds = {name: kind.removesuffix("?") for name, kind in described.items()}
    return Features({name: nested[kind] if kind in nested else Value(kind) for name, kind in kinds.items()})


def size(count: float) -> str:
    """A number of bytes as a person says it: 512 bytes, 6.8 MB, 7.1 GB (powers of 1000)."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def _take_arguments(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Take our own arguments out of the builder's; refuses what is neither."""
    for name in ("data_dir", "data_files"):
        if kwargs.get(name):
            msg = f"{name}={kwargs[name]!r}: what is read follows from the config; upstream= reads it from another root"
            raise ConfigError(msg)
    known = {"dataset_name", "hash", "base_path", "info", "features", "token", "repo_id", "storage_options"}
    known |= {"data_dir", "data_files", "writer_batch_size", "config_id"}
    unknown = sorted(set(kwargs) - known - set(_ARGUMENTS))
    if unknown:
        msg = f"unknown argument {', '.join(unknown)}; arguments are {', '.join(_ARGUMENTS)}"
        raise ConfigError(msg)
    return {name: kwargs.pop(name) for name in _ARGUMENTS if name in kwargs}


def _check_shard_bytes(given: Any) -> int:
    if given is None:
        return DEFAULT_SHARD_BYTES
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        msg = f"shard_bytes={given!r}; a positive number of bytes was expected"
        raise ConfigError(msg)
    return given
