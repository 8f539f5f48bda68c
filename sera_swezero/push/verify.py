"""A published set, checked as its readers get it: against its own manifest, its card and the schemas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from huggingface_hub import DatasetCard

from sera_swezero.build.card import card_configs, card_infos
from sera_swezero.build.manifest import CARD, MANIFEST, Manifest
from sera_swezero.errors import PublishError
from sera_swezero.hub.retry import READING, RetryPolicy
from sera_swezero.hub.session import explained
from sera_swezero.push import readback
from sera_swezero.push.repository_reader import MAIN, RepositoryReader, Tree

ROWS = 100
"""How many rows of every config are checked unless the caller says otherwise."""


@dataclass(frozen=True)
class Verdict:
    """What was checked and what is wrong."""

    repo: str
    """The id of the repo."""
    commit: str
    """The commit that was checked."""
    digest: str
    """The digest of its manifest."""
    files: int
    """Files that the manifest lists."""
    rows: int
    """Rows that the manifest counts."""
    problems: tuple[str, ...]
    """What is wrong."""


def verify(repo: str, *, revision: str = MAIN, rows: int = ROWS, policy: RetryPolicy = READING) -> Verdict:
    """Check a published set.

    Args:
        repo: "owner/name".
        revision: a branch, tag or commit.
        rows: rows of every config that are checked against their schema; 0 means all.
        policy: how often to try each call, and how long to wait.

    Raises:
        PublishError: there is no such repo or revision, or no manifest to check against.
        UpstreamError: it cannot be read.
    """
    repository = RepositoryReader(repo=repo, policy=policy)
    with explained(repo, f"{repo}@{revision}"):
        commit = repository.head(revision)
        if commit is None:
            msg = f"{repo}@{revision}: no such repo or revision, or the token has no access"
            raise PublishError(msg)
        tree = repository.tree(commit)
        published = repository.manifest(commit, tree)
        if published is None:
            msg = f"{repo}@{revision} has no {MANIFEST}; expected a repo that `sera-swezero push` published"
            raise PublishError(msg)
        problems = _problems(repository, commit, tree, published, rows)
    return Verdict(
        repo=repo,
        commit=commit,
        digest=published.digest,
        files=len(list(published.files)),
        rows=sum(built.rows for built in published.configs.values()),
        problems=tuple(problems),
    )


def _problems(repository: RepositoryReader, commit: str, tree: Tree, published: Manifest, rows: int) -> list[str]:
    problems = [*_file_faults(published, tree), *_card_faults(repository, commit, tree, published)]
    # A missing file is among the problems already, and would only fail again.
    present = [built for built in published.files if built.path in tree]
    problems += readback.footers(repository, commit, present, tree)
    if not problems:
        names = readback.affected(published, published.configs)
        problems += readback.rows(repository, commit, published, names, rows)
    return problems


def _file_faults(published: Manifest, tree: Tree) -> Iterator[str]:
    listed = {built.path for built in published.files}
    for built in published.files:
        there = tree.get(built.path)
        if there is None:
            yield f"{built.path}: is missing"
        elif (there.size, there.sha256) != (built.bytes, built.sha256):
            yield f"{built.path}: {there.size} bytes, sha256 {there.sha256}; expected {built.bytes}, {built.sha256}"
    for path in sorted(tree):
        folder, _, name = path.partition("/")
        if folder in published.configs and name.startswith("train-") and path not in listed:
            yield f"{path}: is not in the manifest, but is part of the card's config {folder!r}"
    for name in ("dataset_infos.json", "sera_swezero.py"):
        if name in tree:
            yield f"{name}: does not belong in a published repo: `datasets` would read or run it instead of the card"


def _card_faults(repository: RepositoryReader, commit: str, tree: Tree, published: Manifest) -> Iterator[str]:
    if CARD not in tree:
        yield f"{CARD}: is missing"
        return
    text = repository.read(commit, tree[CARD]).decode("utf-8")
    data = DatasetCard(text).data.to_dict()  # type: ignore[no-untyped-call]
    if data.get("configs") != card_configs(published):
        yield f"{CARD}: its configs are not those of the manifest"
    infos = data.get("dataset_info") or []
    given = {
        info["config_name"]: info for info in (infos if isinstance(infos, list) else [infos]) if "config_name" in info
    }
    for name, info in card_infos(published).items():
        counted = [split["num_examples"] for split in given.get(name, {}).get("splits", [])]
        if counted != [split["num_examples"] for split in info["splits"]]:
            yield f"{CARD}: rows of {name!r} are {counted}, the manifest counts otherwise"
