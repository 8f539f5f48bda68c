"""What a push would do: the directory's manifest merged into the repo's, and the files that then differ."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sera_swezero.build import card, manifest
from sera_swezero.build.manifest import CARD, MANIFEST, Manifest
from sera_swezero.build.unit_files import intact
from sera_swezero.errors import PublishError
from sera_swezero.hub.listing import RepositoryFile
from sera_swezero.push.footers import check_local
from sera_swezero.push.repository_reader import Tree

_OURS = re.compile(r"(rejected/)?[a-z0-9][a-z0-9.-]*/train-\d{5}-of-\d{5}\.parquet")


@dataclass(frozen=True)
class Send:
    """A file of the new version."""

    path: str
    """Where it goes inside the repo."""
    content: Path | bytes
    """What it holds: a local file, or the bytes."""
    size: int
    """Bytes."""
    sha256: str
    """The hash of the content."""

    def arrived(self, there: RepositoryFile | None) -> bool:
        """Whether the repo's file is this one."""
        return there is not None and there.holds(self.size, self.sha256, lambda: blob_id(self.content))


@dataclass(frozen=True)
class Difference:
    """What a push has to send and to delete."""

    after: Manifest
    """The manifest of the new version."""
    before: Tree
    """The repo's files as they are."""
    add: tuple[Send, ...]
    """What to send."""
    delete: tuple[str, ...]
    """What to delete: paths that the repo's manifest lists and the new one does not."""
    changed: tuple[str, ...]
    """Names of configs whose files differ."""

    @property
    def empty(self) -> bool:
        """Whether the repo holds the new version already."""
        return not self.add and not self.delete

    @property
    def bytes(self) -> int:
        """Bytes of the files to send."""
        return sum(send.size for send in self.add)

    @property
    def description(self) -> str:
        """The text of the pull request."""
        configs = ", ".join(f"`{name}`" for name in self.changed) or "none but card or manifest"
        return (
            f"{len(self.add)} files to send, {len(self.delete)} to delete. Configs: {configs}.\n\n"
            f"Opened by `sera-swezero push`, which merges it after reading it back. Manifest: {self.after.digest}"
        )

    def missing(self, tree: Tree) -> tuple[list[Send], list[str]]:
        """What a half-done pull request still lacks: files to send, files to delete."""
        sends = [send for send in self.add if not send.arrived(tree.get(send.path))]
        return sends, [path for path in self.delete if path in tree]

    def faults(self, tree: Tree) -> list[str]:
        """Where a commit's files are not exactly the new version, including the files that should stay as they are."""
        sends = {send.path: send for send in self.add}
        found = [
            f"{path}: size or hash is not what was sent" for path in sends if not sends[path].arrived(tree.get(path))
        ]
        for path, file in self.before.items():
            if path in sends or path in self.delete:
                continue
            if tree.get(path) != file:
                found.append(f"{path}: should have stayed as it was, and did not")
        found += [f"{path}: should have been deleted, and is there" for path in self.delete if path in tree]
        found += [f"{path}: was not sent" for path in tree if path not in sends and path not in self.before]
        return sorted(found)


def difference(folder: Path, local: Manifest, repo: str, remote: Manifest | None, before: Tree) -> Difference:
    """Compare a built directory and its manifest with a repo, its manifest (None if it has none) and its files.

    Raises:
        PublishError: a file of the directory is missing or changed, or the repo holds one that would become part of a
            config on the card.
    """
    after = manifest.merge(remote, local)
    listed = {built.path for built in after.files}
    known = {built.path for built in remote.files} if remote else set()
    _refuse_unlisted(after, before, known, repo)
    add = tuple(_different(folder, local, before)) + tuple(_manifest_and_card(after, repo, before))
    delete = tuple(sorted(path for path in known - listed if path in before and _OURS.fullmatch(path)))
    paths = [*(send.path for send in add), *delete]
    touched = {path.removeprefix("rejected/").partition("/")[0] for path in paths}
    changed = tuple(name for name in after.configs if name in touched)
    return Difference(after=after, before=before, add=add, delete=delete, changed=changed)


def _different(folder: Path, local: Manifest, before: Tree) -> Iterator[Send]:
    """The directory's data files that the repo lacks or has with other content."""
    listed = [(built, config) for config in local.configs.values() for built in config.files]
    for built, made_for in listed:
        if not _OURS.fullmatch(built.path):
            msg = f"{folder / MANIFEST} lists {built.path!r}, which no build makes; build again"
            raise PublishError(msg)
        send = Send(path=built.path, content=folder / built.path, size=built.bytes, sha256=built.sha256)
        if not send.arrived(before.get(built.path)):
            if not intact(folder, built):
                msg = f"{folder / built.path} is missing or not what {MANIFEST} says; build again"
                raise PublishError(msg)
            check_local(folder, built, made_for)
            yield send


def _manifest_and_card(after: Manifest, repo: str, before: Tree) -> Iterator[Send]:
    """Manifest and card of the new version, if they differ."""
    for path, content in ((MANIFEST, manifest.encode(after)), (CARD, card.render(after, repo).encode())):
        send = Send(path=path, content=content, size=len(content), sha256=hashlib.sha256(content).hexdigest())
        if not send.arrived(before.get(path)):
            yield send


def _refuse_unlisted(after: Manifest, before: Tree, known: set[str], repo: str) -> None:
    """Refuse a repo that has a foreign file where the card's globs look, since it would become part of a config."""
    listed = {built.path for built in after.files}
    for path in before:
        folder, _, name = path.partition("/")
        if folder in after.configs and name.startswith("train-") and path not in known and path not in listed:
            msg = f"{repo} holds {path}, which no manifest lists, but which would join {folder!r}; delete it first"
            raise PublishError(msg)


def blob_id(content: Path | bytes) -> str:
    """Git's id of a content."""
    data = content.read_bytes() if isinstance(content, Path) else content
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
