"""What a dataset repo holds: one request resolves a revision to a commit, one more per thousand files lists them.

Listings are remembered under HF_HOME, so that a revision resolved once also serves offline.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from huggingface_hub import constants

from sera_swezero.errors import UpstreamError
from sera_swezero.hub import retry
from sera_swezero.hub.listed_path import refuse_unsafe
from sera_swezero.hub.retry import RetryPolicy
from sera_swezero.hub.session import explained, get_json

_LOG = logging.getLogger(__name__)
_COMMIT = re.compile("[0-9a-f]{40}")


class RepositoryFile(NamedTuple):
    """A file of a commit, as the hub lists it."""

    path: str
    """Where the file lies inside the repo."""

    size: int
    """Bytes."""

    blob: str
    """Git's id of what git keeps: the content, or a pointer to it."""

    sha256: str | None = None
    """The hash of a content that lies outside git (LFS, Xet); None for one that git keeps."""

    @property
    def mark(self) -> str:
        """A mark that changes when the content does."""
        return self.sha256 or self.blob

    def holds(self, size: int, sha256: str, blob: Callable[[], str]) -> bool:
        """Whether the content has this size and hash. Git's id of it is computed only where git keeps the content."""
        if size != self.size:
            return False
        return sha256 == self.sha256 if self.sha256 is not None else blob() == self.blob


class Commit(NamedTuple):
    """What a revision means now."""

    repo: str
    """The repo that holds it: another one than asked for where that has moved."""

    oid: str
    """Its id."""


def endpoint() -> str:
    """The hub in use (HF_ENDPOINT)."""
    return str(constants.ENDPOINT)


def endpoint_is_local() -> bool:
    """Whether the hub in use is on this machine."""
    host = urlsplit(endpoint()).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def resolve(repo: str, revision: str, *, token: str | bool | None = None, policy: RetryPolicy) -> Commit:
    """The commit of a revision. Raises the client's errors, or the transport's."""
    url = f"{_api(repo)}/revision/{quote(revision, safe='')}"
    info, _ = get_json(url, f"{repo}@{revision}", token=token, policy=policy)
    return Commit(str(info["id"]), str(info["sha"]))


def list_files(
    repo: str, commit: str, *, token: str | bool | None = None, policy: RetryPolicy
) -> Iterator[RepositoryFile]:
    """All files of a commit. Raises the client's errors, or the transport's."""
    page: str | None = f"{_api(repo)}/tree/{commit}?recursive=true&expand=false"
    while page is not None:
        entries, page = get_json(page, f"files of {repo}@{commit[:12]}", token=token, policy=policy)
        for entry in entries:
            if entry["type"] == "file":
                refuse_unsafe(entry["path"], f"{repo}@{commit[:12]}")
                sha256 = entry["lfs"]["oid"] if entry.get("lfs") else None
                yield RepositoryFile(path=entry["path"], size=entry["size"], blob=entry["oid"], sha256=sha256)


def list_repo(repo: str, revision: str, *, token: str | bool | None) -> tuple[str, list[RepositoryFile]]:
    """Resolve a revision of a dataset repo and list its files: (commit, files).

    Raises:
        UpstreamError: gated, missing, moved, an unknown revision, no connection; or offline and not remembered.
    """
    key = f"{endpoint()} {repo}@{revision}"
    memory = _remembered()
    if constants.HF_HUB_OFFLINE or (_COMMIT.fullmatch(revision) and key in memory):
        if key in memory:
            entry = memory[key]
            return entry["commit"], [RepositoryFile(*row) for row in entry["files"]]
        msg = (
            f"{repo}: offline (HF_HUB_OFFLINE), and revision {revision!r} was never resolved on this machine; "
            "go online once, or give upstream= a local mirror"
        )
        raise UpstreamError(msg)
    commit, files = _ask(repo, revision, token=token)
    entry = {"commit": commit, "files": [[file.path, file.size, file.mark] for file in files]}
    _remember({key: entry, f"{endpoint()} {repo}@{commit}": entry})
    return commit, files


def _ask(repo: str, revision: str, *, token: str | bool | None) -> tuple[str, list[RepositoryFile]]:
    with explained(repo, f"{repo}@{revision}"):
        found = resolve(repo, revision, token=token, policy=retry.READING)
        if found.repo != repo:
            msg = f"{repo} has moved to {found.repo}; expected the repo at its own name (mirror it and give upstream=)"
            raise UpstreamError(msg)
        return found.oid, list(list_files(repo, found.oid, token=token, policy=retry.READING))


def _api(repo: str) -> str:
    return f"{endpoint()}/api/datasets/{repo}"


def _memory_path() -> Path:
    """Where listings are remembered."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "huggingface")
    return Path(home, "sera_swezero", "listings.json").expanduser()


def _remembered() -> dict[str, Any]:
    try:
        memory = json.loads(_memory_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return memory if isinstance(memory, dict) else {}


def _remember(entries: dict[str, Any]) -> None:
    """Keep the entries for later. A home that cannot be written only costs the offline use."""
    path = _memory_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as handle:
            json.dump({**_remembered(), **entries}, handle)
        Path(handle.name).replace(path)
    except OSError as error:
        _LOG.info("listings are not remembered in %s: %s", path, error)
