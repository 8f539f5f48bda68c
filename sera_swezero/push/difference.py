"""What a push would do: the directory's manifest merged into the repo's, and the files that then differ."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sera_swezero.build import card, manifest
from sera_swezero.build.manifest import CARD, MANIFEST, Built, Manifest
from sera_swezero.build.unit_files import intact
from sera_swezero.errors import PublishError
from sera_swezero.push.repository import RemoteFile, Tree

_OURS = re.compile(r"(rejected/)?[a-z0-9][a-z0-9.-]*/train-\d{5}-of-\d{5}\.parquet")


@dataclass(frozen=True)
class Send:
    """A file of the new version: where it goes, what it holds, its size in bytes and sha256."""

    path: str
    content: Path | bytes
    size: int
    sha256: str

    def arrived(self, there: RemoteFile | None) -> bool:
        """Whether the repo's file is this one."""
        return there is not None and there.holds(self.size, self.sha256, lambda: blob_id(self.content))


@dataclass(frozen=True)
class Plan:
    """The difference.

    after: the manifest of the new version. before: the repo's files as they are. add: what to send. delete: what goes,
    because the repo's manifest lists it and the new one does not. changed: names of configs whose files differ.
    """

    after: Manifest
    before: Tree
    add: tuple[Send, ...]
    delete: tuple[str, ...]
    changed: tuple[str, ...]

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
        """What the pull request says of itself."""
        configs = ", ".join(f"`{name}`" for name in self.changed) or "none but card or manifest"
        return (
            f"{len(self.add)} files to send, {len(self.delete)} to delete. Configs: {configs}.\n\n"
            f"Opened by `sera-swezero push`, which merges it after reading it back. Manifest: {self.after.digest}"
        )

    def missing(self, tree: Tree) -> tuple[list[Send], list[str]]:
        """What of the plan a half-done pull request still lacks: files to send, files to delete."""
        sends = [send for send in self.add if not send.arrived(tree.get(send.path))]
        return sends, [path for path in self.delete if path in tree]

    def faults(self, tree: Tree) -> list[str]:
        """Where a commit's files are not exactly the new version: every file, also those that the plan leaves alone."""
        sends = {send.path: send for send in self.add}
        found = [
            f"{path}: size or hash is not what was sent" for path in sends if not sends[path].arrived(tree.get(path))
        ]
        for path, file in self.before.items():
            if path in sends or path in self.delete:
                continue
            now = tree.get(path)
            if now is None or (now.size, now.sha256, now.blob) != (file.size, file.sha256, file.blob):
                found.append(f"{path}: was to stay as it is, and did not")
        found += [f"{path}: was to be deleted, and is there" for path in self.delete if path in tree]
        found += [f"{path}: nobody asked for it" for path in tree if path not in sends and path not in self.before]
        return sorted(found)


def plan(folder: Path, local: Manifest, repo: str, remote: Manifest | None, before: Tree) -> Plan:
    """Compare.

    Raises:
        PublishError: a file of the directory is missing or changed, or the repo holds one that the card would take in.
    """
    after = manifest.merge(remote, local)
    listed = {built.path for built in after.files}
    known = {built.path for built in remote.files} if remote else set()
    _refuse_strangers(after, before, known, repo)
    add = tuple(_different(folder, local, before)) + tuple(_told(after, repo, before))
    delete = tuple(sorted(path for path in known - listed if path in before and _OURS.fullmatch(path)))
    touched = {send.path.removeprefix("rejected/").partition("/")[0] for send in add}
    touched |= {path.removeprefix("rejected/").partition("/")[0] for path in delete}
    return Plan(after, before, add, delete, tuple(name for name in after.configs if name in touched))


def _different(folder: Path, local: Manifest, before: Tree) -> Iterator[Send]:
    """The directory's data files that the repo lacks or has otherwise."""
    for built in local.files:
        if not _OURS.fullmatch(built.path):
            msg = f"{folder / MANIFEST} lists {built.path!r}, which no build makes; build again"
            raise PublishError(msg)
        send = Send(built.path, folder / built.path, built.bytes, built.sha256)
        if not _same(built, before.get(built.path), send):
            if not intact(folder, built):
                msg = f"{folder / built.path} is missing or not what {MANIFEST} says; build again"
                raise PublishError(msg)
            yield send


def _same(built: Built, there: RemoteFile | None, send: Send) -> bool:
    if there is None or there.size != built.bytes:
        return False
    return there.sha256 == built.sha256 if there.sha256 is not None else send.arrived(there)


def _told(after: Manifest, repo: str, before: Tree) -> Iterator[Send]:
    """Manifest and card of the new version, if they differ."""
    for path, content in ((MANIFEST, manifest.encode(after)), (CARD, card.render(after, repo).encode())):
        send = Send(path, content, len(content), hashlib.sha256(content).hexdigest())
        if not send.arrived(before.get(path)):
            yield send


def _refuse_strangers(after: Manifest, before: Tree, known: set[str], repo: str) -> None:
    """A file that is not ours but lies where the card's globs look would become part of a config."""
    listed = {built.path for built in after.files}
    for path in before:
        folder, _, name = path.partition("/")
        if folder in after.configs and name.startswith("train-") and path not in known and path not in listed:
            msg = (
                f"{repo} holds {path}, which no manifest lists and the config {folder!r} would take in; delete it first"
            )
            raise PublishError(msg)


def blob_id(content: Path | bytes) -> str:
    """Git's id of a content."""
    data = content.read_bytes() if isinstance(content, Path) else content
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
