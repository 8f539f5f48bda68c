"""Settle what is read: repo and revision become a commit and a listing of files, from the hub or from a root.

A root (`upstream=`) is a local folder or any fsspec URL laid out as ROOT/<owner>/<repo>/<files>; `"sample"` is the
corpus that ships with the package. Listings of the hub are remembered under HF_HOME, so that a commit resolved once
also serves offline.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sera_swezero.errors import ConfigError, UpstreamError

if TYPE_CHECKING:
    from sera_swezero.catalog import Origin

SAMPLE = "sample"


class File(NamedTuple):
    """One upstream file: `path` inside the repo, size in bytes, and a mark that changes when the content does."""

    repo: str
    path: str
    size: int
    mark: str


@dataclass(frozen=True)
class Snapshot:
    """What is read, settled: a root (None: the hub), each repo's commit ("" below a root), the files in order."""

    root: str | None
    endpoint: str
    commits: Mapping[str, str]
    files: tuple[File, ...]
    token: str | bool | None = None

    @property
    def bytes(self) -> int:
        """Raw bytes of all files."""
        return sum(file.size for file in self.files)

    @property
    def digest(self) -> str:
        """A hash of repos, commits and files; the root's own place is left out, so that a moved mirror is the same."""
        told = [sorted(self.commits.items()), [list(file) for file in self.files]]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def take_snapshot(
    origins: Sequence[Origin],
    *,
    upstream: str | None = None,
    revision: str | Mapping[str, str] | None = None,
    token: str | bool | None = None,
) -> Snapshot:
    """Resolve and list every origin.

    Args:
        origins: the repos to read.
        upstream: a root to read from instead of the hub, or "sample".
        revision: a branch, tag or commit; a mapping of repo to one; or the path of a lock file.
        token: as huggingface_hub takes it (None: the stored login).

    Raises:
        UpstreamError: a repo that is gated, missing, moved or empty, an unknown revision, or offline and never
        resolved. ConfigError: a revision mapping that lacks a repo, a lock file that is none.
    """
    if upstream is not None:
        root = sample_root() if upstream == SAMPLE else upstream
        files = [file for origin in origins for file in _list_root(root, origin)]
        return Snapshot(root, "", {origin.repo: "" for origin in origins}, tuple(files))
    from sera_swezero.hub import listing

    wanted = revisions(origins, revision)
    commits: dict[str, str] = {}
    listed: list[File] = []
    for origin in origins:
        commit, files = listing.list_repo(origin.repo, wanted[origin.repo], token=token)
        commits[origin.repo] = commit
        listed += _matching(origin, files, f"{origin.repo} at {commit[:12]}")
    return Snapshot(None, listing.endpoint(), commits, tuple(listed), token)


def sample_root() -> str:
    """The folder of the corpus that ships with the package."""
    from sera_swezero.sample import ROOT

    return str(ROOT)


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
        msg = f'{path} is no lock file ({error}); `sera-swezero lock` writes {{"repos": {{repo: commit}}}}'
        raise ConfigError(msg) from None


def _list_root(root: str, origin: Origin) -> list[File]:
    import fsspec

    try:
        fs, base = fsspec.core.url_to_fs(root)
        folder = f"{base.rstrip('/')}/{origin.repo}"
        found: dict[str, dict[str, Any]] = fs.find(folder, detail=True)
    except (OSError, ValueError, ImportError) as error:
        msg = f"{root}: cannot list {origin.repo}: {error}"
        raise UpstreamError(msg) from error
    files = [
        File(origin.repo, path.removeprefix(folder).lstrip("/"), int(info["size"]), _mark(info))
        for path, info in found.items()
        if path != folder
    ]
    return _matching(origin, files, f"{root.rstrip('/')}/{origin.repo}")


def _matching(origin: Origin, files: Sequence[File], place: str) -> list[File]:
    matching = sorted(file for file in files if fnmatch(file.path, origin.pattern))
    if not matching:
        shown = ", ".join(file.path for file in files[:5]) or "no files at all"
        msg = f"{place}: no file matches {origin.pattern!r}; found {shown}"
        raise UpstreamError(msg)
    return matching


def _mark(info: Mapping[str, Any]) -> str:
    """Whatever the file system says of the content's identity: etag or checksum, else the time of its last change."""
    for key in ("ETag", "etag", "md5Hash", "sha256", "mtime", "LastModified", "last_modified", "created"):
        if info.get(key):
            return str(info[key])
    return ""


def memory_path() -> Path:
    """Where listings of the hub are remembered."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "huggingface")
    return Path(home, "sera_swezero", "listings.json").expanduser()
