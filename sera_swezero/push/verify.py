"""A published set, checked from outside: against its own manifest, its card and the schemas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import DatasetCard, HfApi
from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

from sera_swezero.build.card import card_configs, card_infos
from sera_swezero.build.manifest import CARD, MANIFEST, Manifest
from sera_swezero.errors import PublishError
from sera_swezero.push import readback
from sera_swezero.push.patience import Patience, insist, transient
from sera_swezero.push.repository import MAIN, Remote, Tree

ROWS = 100
"""Rows of every config that are checked unless told otherwise."""


@dataclass(frozen=True)
class Verdict:
    """What was checked and what is wrong. commit: of the repo; files, rows: as its manifest counts them."""

    repo: str
    commit: str
    digest: str
    files: int
    rows: int
    problems: tuple[str, ...]


def verify(repo: str, *, revision: str = MAIN, rows: int = ROWS, patience: Patience | None = None) -> Verdict:
    """Check a published set.

    Args:
        repo: "owner/name".
        revision: a branch, tag or commit.
        rows: rows of every config that are held to their schema; 0 means all.
        patience: how often and how long to try.

    Raises:
        PublishError: there is no such repo or revision, or no manifest to check against.
    """
    patience = patience or Patience()
    remote = Remote(repo, patience)
    try:
        commit = remote.head(revision)
        if commit is None:
            msg = f"{repo}@{revision}: no such repo or revision, or the token does not open it"
            raise PublishError(msg)
        told = remote.manifest(commit)
        if told is None:
            msg = f"{repo}@{revision} has no {MANIFEST}; expected a repo that `sera-swezero push` published"
            raise PublishError(msg)
        return _verdict(remote, commit, told, rows)
    except HfHubHTTPError as error:
        msg = f"{repo}: cannot be read: {error}"
        raise PublishError(msg) from error


def _verdict(remote: Remote, commit: str, told: Manifest, rows: int) -> Verdict:
    files = list(told.files)
    tree = remote.tree(commit)
    problems = [*_file_faults(told, tree), *_card_faults(remote, commit, told)]
    # A missing file has been told already, and would only fail again.
    there = [built for built in files if built.path in tree]
    problems += readback.footers(remote.repo, commit, there, remote.patience)
    if not problems:
        names = readback.affected(told, told.configs)
        problems += readback.rows(remote.repo, commit, told, names, rows, remote.patience)
    count = sum(built.rows for built in told.configs.values())
    return Verdict(remote.repo, commit, told.digest, len(files), count, tuple(problems))


def _file_faults(told: Manifest, tree: Tree) -> Iterator[str]:
    listed = {built.path for built in told.files}
    for built in told.files:
        there = tree.get(built.path)
        if there is None:
            yield f"{built.path}: is missing"
        elif (there.size, there.sha256) != (built.bytes, built.sha256):
            yield f"{built.path}: {there.size} bytes, sha256 {there.sha256}; expected {built.bytes}, {built.sha256}"
    for path in sorted(tree):
        folder, _, name = path.partition("/")
        if folder in told.configs and name.startswith("train-") and path not in listed:
            yield f"{path}: is not in the manifest, but the card's config {folder!r} takes it in"
    for name in ("dataset_infos.json", "sera_swezero.py"):
        if name in tree:
            yield f"{name}: does not belong in a published repo: it takes the card's place, or asks to be run"


def _card_faults(remote: Remote, commit: str, told: Manifest) -> Iterator[str]:
    def fetch() -> str:
        path = HfApi().hf_hub_download(remote.repo, CARD, revision=commit, repo_type="dataset")
        return Path(path).read_text(encoding="utf-8")

    text = insist(
        fetch,
        "card",
        remote.patience,
        passing=lambda error: transient(error) or isinstance(error, LocalEntryNotFoundError),
    )
    data = DatasetCard(text).data.to_dict()  # type: ignore[no-untyped-call]
    if data.get("configs") != card_configs(told):
        yield f"{CARD}: its configs are not those of the manifest"
    infos = data.get("dataset_info") or []
    given = {
        info["config_name"]: info for info in (infos if isinstance(infos, list) else [infos]) if "config_name" in info
    }
    for name, info in card_infos(told).items():
        counted = [split["num_examples"] for split in given.get(name, {}).get("splits", [])]
        if counted != [split.num_examples for split in info.splits.values()]:
            yield f"{CARD}: rows of {name!r} are {counted}, the manifest counts otherwise"
