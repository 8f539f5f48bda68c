"""Is what arrived what was sent: row counts from the footers, rows through `load_dataset` held to their contract."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import Any

import datasets
import huggingface_hub
import pyarrow as pa
import pyarrow.parquet as pq

from sera_swezero.build.card import groups
from sera_swezero.build.manifest import Built, BuiltConfig, Manifest
from sera_swezero.build.parquet_writer import ROW_GROUP_BYTES
from sera_swezero.catalog import CONFIGS
from sera_swezero.check import CONTRACTS, Contract
from sera_swezero.push.patience import Patience, any_error, insist
from sera_swezero.sources import SOURCES
from sera_swezero.views import VIEWS

_LOG = logging.getLogger("sera_swezero")

SAMPLE = 5
"""Rows of every config that a push reads back."""

_THREADS = 8
_TAIL = 1 << 16  # bytes; most footers are shorter


def footers(repo: str, commit: str, files: Iterable[Built], patience: Patience) -> list[str]:
    """Problems of Parquet footers: rows that differ from the manifest, row groups too large, pages without an index."""

    def check(built: Built) -> list[str]:
        metadata = insist(lambda: _footer(repo, commit, built.path), "footer", patience, passing=any_error)
        return [f"{built.path}: {problem}" for problem in _footer_faults(metadata, built)]

    with ThreadPoolExecutor(_THREADS) as pool:
        return [problem for problems in pool.map(check, files) for problem in problems]


def _footer(repo: str, commit: str, path: str) -> Any:
    """The footer of a remote file, in a request for its tail and, where that is too short, one more."""
    tail = _tail(repo, commit, path, _TAIL)
    length = int.from_bytes(tail[-8:-4], "little") + 8
    if length > len(tail):
        tail = _tail(repo, commit, path, length)
    return pq.read_metadata(pa.BufferReader(tail))


def _tail(repo: str, commit: str, path: str, count: int) -> bytes:
    utils: Any = huggingface_hub.utils
    headers = {**utils.build_hf_headers(), "Range": f"bytes=-{count}"}
    url = huggingface_hub.hf_hub_url(repo, path, repo_type="dataset", revision=commit)
    answer = utils.get_session().get(url, headers=headers)
    utils.hf_raise_for_status(answer)
    return bytes(answer.content)


def _footer_faults(metadata: Any, built: Built) -> Iterator[str]:
    if metadata.num_rows != built.rows:
        yield f"{metadata.num_rows} rows in its footer, expected {built.rows}"
    for index in range(metadata.num_row_groups):
        group = metadata.row_group(index)
        if group.num_rows > 1 and group.total_byte_size > ROW_GROUP_BYTES:
            yield f"row group {index} has {group.total_byte_size} bytes uncompressed, expected fewer"
        if not all(group.column(column).has_offset_index for column in range(group.num_columns)):
            yield f"row group {index} has a column without an offset index"


def contract_of(built: BuiltConfig) -> Contract:
    """What every row of a built config must be."""
    origin = CONFIGS[built.config].origins[0]
    return CONTRACTS[VIEWS[built.view].schema(SOURCES[origin.source], origin.shape)]


def rows(repo: str, commit: str, told: Manifest, names: Iterable[str], count: int, patience: Patience) -> list[str]:
    """Problems of the first `count` rows (0: all) of every config, loaded as any reader would."""
    problems = []
    loadable = groups(told)
    for name in names:
        first = told.configs[loadable[name][0]]
        if first.json and not hasattr(datasets, "Json"):
            _LOG.warning("rows of %s are not read back: datasets %s knows no Json", name, datasets.__version__)
            continue
        contract = contract_of(first)
        found = insist(
            lambda name=name, contract=contract: _row_faults(repo, commit, name, contract, count),  # type: ignore[misc]
            f"rows of {name}",
            patience,
            # A card that cannot be fetched is no card to `datasets`: the error it then raises says nothing of the hub.
            passing=any_error,
        )
        problems += found
    return problems


def affected(told: Manifest, changed: Iterable[str]) -> list[str]:
    """The configs and unions that hold any of the changed configs."""
    names = set(changed)
    return [name for name, parts in groups(told).items() if names & set(parts)]


def _row_faults(repo: str, commit: str, name: str, contract: Contract, count: int) -> list[str]:
    loaded = datasets.load_dataset(repo, name, split="train", revision=commit, streaming=True)
    # A stream that is left half-read keeps reading ahead, and a process that then ends may end with an abort.
    with closing(iter(loaded)) as rows:
        wrong = [(index, row) for index, row in enumerate(islice(rows, count or None)) if not contract.accepts(row)]
    gc.collect()
    return [f"{name}, row {index}: {fault}" for index, row in wrong for fault in contract.faults(row)]
