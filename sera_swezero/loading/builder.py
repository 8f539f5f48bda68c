"""The builder for `datasets`: configs, features and shards. It converts while it is read.

Uses the public API of `datasets` alone, with the same code on 3.6, 4.x and 5.x.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, cast

import datasets
from datasets import Features, GeneratorBasedBuilder, SplitGenerator

from sera_swezero.catalog import CONFIGS, DEFAULT
from sera_swezero.convert import convert_window
from sera_swezero.display.formatting import byte_size, counted
from sera_swezero.errors import ConfigError
from sera_swezero.loading.citations import citation
from sera_swezero.loading.stream_plan import make_plan
from sera_swezero.report import Report, log_pass
from sera_swezero.request import filters
from sera_swezero.request.arguments import ARGUMENTS, Arguments, ArgumentsDict, refuse_unknown
from sera_swezero.request.config_names import config_names, split_name
from sera_swezero.request.identity import ROWS_VERSION, describe
from sera_swezero.request.request_snapshot import snapshot_of
from sera_swezero.request.row_columns import columns
from sera_swezero.request.settle import settle
from sera_swezero.schemas.columns import features as plain_features
from sera_swezero.upstream import DEFAULT_SHARD_BYTES
from sera_swezero.upstream.windows import Window
from sera_swezero.version import __version__
from sera_swezero.views import Columns, Row

_VERSION = datasets.Version(__version__)


@dataclasses.dataclass
class SeraSweZeroConfig(Arguments, datasets.BuilderConfig):  # type: ignore[misc]
    """A config as `datasets` keeps it: its own fields, and those of `Arguments`."""


class _Live:
    """A class attribute that is computed whenever it is asked for: plug-ins may be registered at any time."""

    def __init__(self, compute: Callable[[], Any]) -> None:
        self._compute = compute

    def __get__(self, instance: object, owner: type) -> Any:
        return self._compute()


def _predefined() -> list[SeraSweZeroConfig]:
    return [
        SeraSweZeroConfig(name=name, version=_VERSION, description=CONFIGS[split_name(name)[0]].about)
        for name in config_names()
    ]


class SeraSweZero(GeneratorBasedBuilder):  # type: ignore[misc]
    """Recorded runs of coding agents (SERA, SWE-ZERO, your own) as checked rows.

    Takes the name of the config as `config_name` and the fields of `Arguments` as keywords. The upstream revision is
    resolved to a commit when the builder is made, and the commit becomes part of the key of the cache.

    Raises:
        ConfigError: an unknown config, argument or value, or two arguments that make no sense together.
        UpstreamError: the upstream cannot be resolved.
    """

    VERSION = _VERSION
    BUILDER_CONFIG_CLASS = SeraSweZeroConfig
    BUILDER_CONFIGS = _Live(_predefined)
    # `datasets` computes this from BUILDER_CONFIGS only once.
    builder_configs = _Live(lambda: {config.name: config for config in _predefined()})
    DEFAULT_CONFIG_NAME = DEFAULT
    DEFAULT_WRITER_BATCH_SIZE = 64  # rows have some 100 KB each: the library's default, 1000, would buffer 100 MB

    def __init__(self, cache_dir: str | None = None, config_name: str | None = None, **kwargs: Any) -> None:
        arguments = _take_arguments(kwargs)
        # Given arguments but no name, `datasets` would stream zero rows without a word.
        name = config_name or DEFAULT
        self.request = settle(name, **arguments)
        self.snapshot = snapshot_of(self.request, token=kwargs.get("token"))
        filters.check(self.request, self.snapshot)
        self.report = Report()
        kwargs["hash"] = self._digest()
        super().__init__(cache_dir=cache_dir, config_name=name, **kwargs, **arguments)

    def _digest(self) -> str:
        """Hash what decides the rows: the converter, upstream's commits and files, and the request."""
        deciding = [ROWS_VERSION, self.snapshot.digest, describe(self.request)]
        return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()

    def _info(self) -> datasets.DatasetInfo:
        origins = self.request.origins
        return datasets.DatasetInfo(
            description=f"{self.request.config.about}; view {self.request.view.name}",
            features=features(columns(self.request)),
            homepage=f"https://huggingface.co/datasets/{origins[0].repo}" if origins[0].repo else "",
            license=", ".join(sorted({origin.license for origin in origins})),
            citation=citation(origin.repo for origin in origins),
        )

    def _split_generators(self, dl_manager: Any) -> list[SplitGenerator]:
        if not dl_manager.is_streaming:
            self._print_size()
        arguments = self.request.arguments
        shard_bytes = arguments.shard_bytes or DEFAULT_SHARD_BYTES
        self.plan = make_plan(self.snapshot, self.request, shard_bytes, arguments.shuffle_seed, arguments.epoch)
        shards = self.plan.windows(self.plan.epoch)
        return [SplitGenerator(name=datasets.Split.TRAIN, gen_kwargs={"shards": shards})]

    def _generate_examples(self, shards: list[Window]) -> Iterator[tuple[str, Row]]:
        before = deepcopy(self.report)
        for joined, records in self.plan.readers(self.plan.joined(shards), -1):
            for record, converted in convert_window(joined.window, records, self.snapshot, self.request, self.report):
                yield record.key(converted.number), converted.text_row
        log_pass(self.request.name, self.report.since(before))

    def _get_examples_iterable_for_split(self, split_generator: SplitGenerator) -> Any:
        """Return our stream, or that of `datasets` over the same windows if it lacks what our stream builds on."""
        from sera_swezero.loading import examples

        missing = examples.missing_seams()
        if missing:
            warnings.warn(
                f"datasets {datasets.__version__} has no {', '.join(missing)}: streaming works, but a state saved "
                "under another plan is not refused, and set_epoch may not reorder (pass epoch= instead)",
                RuntimeWarning,
                stacklevel=3,
            )
            return super()._get_examples_iterable_for_split(split_generator)
        return examples.WindowedExamples(self.plan, self.report, self.info.features)

    def _print_size(self) -> None:
        """Say how much a plain load will read and write, before it starts."""
        raw = self.snapshot.bytes
        verb = "read" if self.snapshot.root is not None else "download"
        if datasets.utils.logging.is_progress_bar_enabled():
            sys.stderr.write(
                f"{self.request.name}: {verb}s {byte_size(raw)} in {counted(len(self.snapshot.files), 'file')}, "
                f"writes about {byte_size(raw * 4 // 5)} to {self.cache_dir}\n"
            )


def features(described: Columns) -> Features:
    """Return the `datasets` features of columns given by name and type (`views.Columns`)."""
    return Features.from_dict(plain_features(described))


def _take_arguments(kwargs: dict[str, Any]) -> ArgumentsDict:
    """Take the arguments of the config out of those of the builder. Raises ConfigError for those that are neither."""
    for name in ("data_dir", "data_files"):
        if kwargs.get(name):
            msg = f"{name}={kwargs[name]!r}: the config says what is read; upstream= reads it from elsewhere"
            raise ConfigError(msg)
    known = {"dataset_name", "hash", "base_path", "info", "features", "token", "repo_id", "storage_options"}
    known |= {"data_dir", "data_files", "writer_batch_size", "config_id"}
    refuse_unknown(kwargs.keys() - known)
    given = {name: kwargs.pop(name) for name in ARGUMENTS if name in kwargs}
    return cast(
        "ArgumentsDict", {name: ARGUMENTS[name].check(value) for name, value in given.items() if value is not None}
    )
