"""Whether what arrived is what was sent: the footers, and some rows as `load_dataset` gives them to any reader."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import count, islice
from typing import Any

import datasets

from sera_swezero.build.card import groups
from sera_swezero.build.manifest import BuiltConfig, BuiltFile, Manifest
from sera_swezero.catalog import CONFIGS
from sera_swezero.check import Contract, contracts
from sera_swezero.hub.background import SILENCE, within
from sera_swezero.hub.retry import with_retries
from sera_swezero.push.difference import Difference
from sera_swezero.push.footers import footer_faults
from sera_swezero.push.repository_reader import RepositoryReader, Tree
from sera_swezero.sources import SOURCES
from sera_swezero.upstream.row_groups import footer
from sera_swezero.views import VIEWS

_LOG = logging.getLogger("sera_swezero")

SAMPLE = 5
"""Rows of every config that a push reads back."""

_THREADS = 8


def version(repository: RepositoryReader, commit: str, wanted: Difference) -> list[str]:
    """Problems of a commit that should be a new version: its files, the footers of what was sent, some rows."""
    tree = repository.tree(commit)
    problems = wanted.faults(tree)
    if not problems:
        sent = {one.path for one in wanted.add}
        problems = footers(repository, commit, [built for built in wanted.after.files if built.path in sent], tree)
    return problems or rows(repository, commit, wanted.after, affected(wanted.after, wanted.changed), SAMPLE)


def footers(repository: RepositoryReader, commit: str, files: Iterable[BuiltFile], tree: Tree) -> list[str]:
    """What `footer_faults` finds in the files of a commit.

    Args:
        repository: where the files are.
        commit: the commit.
        files: the files to check, as the manifest lists them.
        tree: all files of the commit, these among them.

    Raises:
        UpstreamError: a footer cannot be read.
    """

    def check(built: BuiltFile) -> list[str]:
        file = repository.hub_file(commit, tree[built.path])
        return [f"{built.path}: {problem}" for problem in footer_faults(footer(file, file.place), built)]

    with ThreadPoolExecutor(_THREADS) as pool:
        return [problem for problems in pool.map(check, files) for problem in problems]


def contract_of(built: BuiltConfig) -> Contract:
    """What every row of a built config must be."""
    origin = CONFIGS[built.config].origins[0]
    return contracts()[VIEWS[built.view].schema(SOURCES[origin.source], origin.shape)]


def rows(repository: RepositoryReader, commit: str, published: Manifest, names: Iterable[str], most: int) -> list[str]:
    """Problems of the first `most` rows (0: all) of every config, loaded as any reader would."""
    problems = []
    loadable = groups(published)
    for name in names:
        first = published.configs[loadable[name][0]]
        if first.json and not hasattr(datasets, "Json"):
            _LOG.warning("rows of %s are not read back: datasets %s has no Json", name, datasets.__version__)
            continue
        problems += with_retries(
            partial(_row_faults, repository.repo, commit, name, contract_of(first), most),
            f"rows of {name}",
            replace(repository.policy, attempts=min(repository.policy.attempts, 4)),
            # `datasets` treats a card that it cannot fetch like no card, so its error says nothing about the hub.
            retry_on=lambda error: isinstance(error, Exception),
        )
    return problems


def affected(published: Manifest, changed: Iterable[str]) -> list[str]:
    """The configs and unions that hold any of the changed configs."""
    names = set(changed)
    return [name for name, parts in groups(published).items() if names & set(parts)]


def _row_faults(repo: str, commit: str, name: str, contract: Contract, most: int) -> list[str]:
    def load() -> Any:
        return iter(datasets.load_dataset(repo, name, split="train", revision=commit, streaming=True))

    loaded = within(SILENCE, load)
    wrong: list[str] = []
    try:
        for index in islice(count(), most or None):
            row = within(SILENCE, lambda: next(loaded, None))
            if row is None:
                break
            wrong += [f"{name}, row {index}: {fault}" for fault in contract.faults(row)]
    finally:
        # A stream that is left half-read keeps reading ahead, and a process that ends meanwhile may abort.
        with suppress(ValueError):  # a read that never came back is still running
            loaded.close()
        gc.collect()
    return wrong
