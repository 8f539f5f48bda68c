"""Settle what is read: repo and revision become a commit and a listing of files, from the hub or from a root.

A root (`upstream=`) is a local folder or any fsspec URL laid out as ROOT/<owner>/<repo>/<files>; `"sample"` is the
corpus that ships with the package. The files of a repo may lie in any folder inside it. Your own runs have no repo:
their root is the folder that holds them, or one of its files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, TypeAlias

from sera_swezero.catalog import Origin
from sera_swezero.errors import ConfigError, UpstreamError, did_you_mean
from sera_swezero.hub.hub_file import refuse_unsafe
from sera_swezero.sample import ROOT
from sera_swezero.upstream.records import File

SAMPLE = "sample"

_MOST_BYTES = 1 << 44
"""The most bytes of a set's files. A plan takes memory for every 16 MiB of them: these 16 TiB are a million shards."""


@dataclass(frozen=True)
class Snapshot:
    """What is read, settled."""

    root: str | None
    """The folder or fsspec URL below which the files lie; None for the hub."""
    endpoint: str
    """The hub; "" below a root."""
    commits: Mapping[str, str]
    """The commit of each repo; "" below a root. Your own runs below a root have the repo ""."""
    files: tuple[File, ...]
    """The files in the order in which they are read."""
    token: str | bool | None = None
    """As huggingface_hub takes it (None: the stored login)."""
    left_alone: Mapping[str, int] = field(default_factory=dict)
    """How many files were listed but are not read, by the suffix of their names."""

    @property
    def bytes(self) -> int:
        """Raw bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def is_sample(self) -> bool:
        """Whether the rows are the made-up ones of the corpus that ships with the package."""
        return self.root is not None and Path(self.root.removeprefix("file://")).resolve().is_relative_to(ROOT)

    @property
    def upstream(self) -> dict[str, str]:
        """Commit by repo; "" where a root is read, `SAMPLE` where that is the made-up sample."""
        return dict.fromkeys(self.commits, SAMPLE) if self.is_sample else dict(self.commits)

    @property
    def digest(self) -> str:
        """A hash of repos, commits and files. The root's own path is left out, so a moved mirror stays the same."""
        content = [sorted(self.commits.items()), [list(file) for file in self.files]]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def take_snapshot(
    origins: Sequence[Origin],
    *,
    upstream: str | None = None,
    revision: str | Mapping[str, str] | None = None,
    token: str | bool | None = None,
) -> Snapshot:
    """Resolve and list every origin.

    Args:
        origins: the repos to read, or one set of your own runs.
        upstream: a root to read from instead of the hub, or "sample".
        revision: a branch, tag or commit; a mapping of repo to one; or the path of a lock file.
        token: as huggingface_hub takes it (None: the stored login).

    Raises:
        UpstreamError: a repo is gated, missing, moved or empty, a revision is unknown, or was never resolved on this
            machine and the hub is offline.
        ConfigError: a revision mapping lacks a repo, or a lock file is malformed.
    """
    if upstream is not None:
        return _below_root(origins, upstream)
    from sera_swezero.hub import listing

    wanted = revisions(origins, revision)
    commits, files, left_alone = {}, [], Counter[str]()
    for origin in origins:
        commit, listed = listing.list_repo(origin.repo, wanted[origin.repo], token=token)
        commits[origin.repo] = commit
        found = [File(repo=origin.repo, path=file.path, size=file.size, mark=file.mark) for file in listed]
        files += _matching(origin, found, f"{origin.repo} at {commit[:12]}", left_alone)
    return Snapshot(
        root=None,
        endpoint=listing.endpoint(),
        commits=commits,
        files=tuple(files),
        token=token,
        left_alone=left_alone,
    )


def revisions(origins: Sequence[Origin], revision: str | Mapping[str, str] | None) -> dict[str, str]:
    """The revision wanted of each repo; "main" where none is given. Raises ConfigError."""
    if revision is None:
        return {origin.repo: "main" for origin in origins}
    if isinstance(revision, str):
        if not Path(revision).is_file():
            return {origin.repo: revision for origin in origins}
        revision = read_lock(revision)
    missing = [origin.repo for origin in origins if origin.repo not in revision]
    if missing:
        msg = f"revision names no commit of {', '.join(missing)}; it names {', '.join(revision) or 'nothing'}"
        raise ConfigError(msg)
    return {origin.repo: revision[origin.repo] for origin in origins}


def read_lock(path: str) -> dict[str, str]:
    """Read a lock file: {"repos": {repo: commit}}. Raises ConfigError."""
    try:
        repos = json.loads(Path(path).read_text(encoding="utf-8"))["repos"]
        return {str(repo): str(commit) for repo, commit in repos.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f'{path} is not a lock file ({error}); `sera-swezero lock` writes {{"repos": {{repo: commit}}}}'
        raise ConfigError(msg) from None


def _below_root(origins: Sequence[Origin], upstream: str) -> Snapshot:
    root, files, left_alone = upstream, [], Counter[str]()
    for origin in origins:
        root, listed = _list_root(upstream, origin)
        files += _matching(origin, listed, f"{root.rstrip('/')}/{origin.repo}", left_alone)
    commits = {origin.repo: "" for origin in origins}
    return Snapshot(root=root, endpoint="", commits=commits, files=tuple(files), left_alone=left_alone)


def _root(upstream: str, origin: Origin) -> str:
    """The root that `upstream=` names. A local folder gets its whole path, since workers start in other folders."""
    if upstream == SAMPLE:
        return str(ROOT if origin.repo else ROOT / origin.name)
    return upstream if "://" in upstream or "::" in upstream else Path(upstream).expanduser().absolute().as_posix()


def _list_root(upstream: str, origin: Origin) -> tuple[str, list[File]]:
    """List the files of a set: (root, files below it). If the root is a file, its folder is returned as the root."""
    root = _root(upstream, origin)
    local = local_folder(root)
    try:
        if local is None:
            root, listed = _walk_url(root, origin.repo)
        else:
            listed = list(_walk_folder(local / origin.repo))
    except FileNotFoundError:
        hint = did_you_mean(upstream, [SAMPLE])
        why = f"it has no {origin.name!r}" if upstream == SAMPLE else f"no such folder{hint}"
        msg = f"upstream={upstream!r}: {why}"
        raise UpstreamError(msg) from None
    except (OSError, ValueError, ImportError) as error:
        msg = f"{upstream}: cannot list {origin.repo or 'it'}: {error}"
        raise UpstreamError(msg) from error
    return root, [File(repo=origin.repo, path=path, size=size, mark=mark) for path, size, mark in listed]


def local_folder(root: str) -> Path | None:
    """The root as a folder of this machine; None for any other root, which fsspec reads."""
    folder = Path(root).expanduser()
    return folder if folder.is_dir() else None


_Listed: TypeAlias = tuple[str, int, str]
"""A file's path below its repo, its bytes, and a mark that changes when the content does."""


def _walk_folder(folder: Path) -> Iterator[_Listed]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            status = path.stat()
            yield path.relative_to(folder).as_posix(), status.st_size, str(status.st_mtime)


def _walk_url(root: str, repo: str) -> tuple[str, list[_Listed]]:
    import fsspec

    fs, base = fsspec.core.url_to_fs(root)
    folder = f"{base.rstrip('/')}/{repo}".rstrip("/")
    found: dict[str, dict[str, Any]] = fs.find(folder, detail=True)
    if not found and not fs.exists(base):
        raise FileNotFoundError(root)
    if not repo and list(found) == [folder]:
        root, folder = root.rpartition("/")[0], folder.rpartition("/")[0]
    listed = [
        (path.removeprefix(folder).lstrip("/"), -1 if info["size"] is None else int(info["size"]), _mark(info))
        for path, info in found.items()
        if path != folder
    ]
    return root, listed


def _matching(origin: Origin, files: Sequence[File], place: str, left_alone: Counter[str]) -> list[File]:
    """The files that a set reads, in order; the others are counted by the suffix of their names."""
    matching = sorted(file for file in files if any(fnmatch(file.path, pattern) for pattern in origin.patterns))
    left_alone.update(Path(file.path).suffix for file in set(files).difference(matching))
    if not matching:
        found = ", ".join(file.path for file in files[:5]) or "no files at all"
        msg = f"{place}: no file matches {' or '.join(map(repr, origin.patterns))}; found {found}"
        raise UpstreamError(msg)
    total = 0
    for file in matching:
        refuse_unsafe(file.path, place)
        total += file.size
        if file.size < 0 or total > _MOST_BYTES:
            msg = f"{place}: {file.path} is listed with {file.size:,} bytes; expected at most {_MOST_BYTES:,} in all"
            raise UpstreamError(msg)
    return matching


def _mark(info: Mapping[str, Any]) -> str:
    """Whatever the file system says about the identity of the content: an etag, a checksum, or when it last changed."""
    for key in ("ETag", "etag", "md5Hash", "sha256", "mtime", "LastModified", "last_modified", "created"):
        if info.get(key):
            return str(info[key])
    return ""
