"""What a dataset repo holds: one request resolves a revision to a commit and lists its files where they are few.

Of a repo with more files the hub may leave some out there, so one more request per thousand files lists them.
Listings are remembered under HF_HOME, so that a revision resolved once also serves offline.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec
from huggingface_hub import constants

from sera_swezero.display.outputs import write_file
from sera_swezero.errors import OutputError, UpstreamError
from sera_swezero.hub import retry
from sera_swezero.hub.hub_file import refuse_unsafe
from sera_swezero.hub.retry import RetryPolicy
from sera_swezero.hub.session import explained, get_json, is_offline

_LOG = logging.getLogger(__name__)
_COMMIT = re.compile("[0-9a-f]{40}")


_FEW = 100
"""Files up to which the list that comes with a commit is trusted. The hub's client trusts it up to 1,000 files
(huggingface/huggingface_hub#3565), but rows would be lost silently if the hub left a file out."""

_MOST_PAGES = 10_000
_MOST_FILES = 1_000_000
"""Where a listing counts as endless. The hub advises fewer than 100,000 files per repo, and lists 1,000 per page."""


class _Large(msgspec.Struct):
    """What a listing says of content that is stored outside git."""

    oid: str


class _Entry(msgspec.Struct):
    """A file or a folder, as the hub lists it."""

    type: str
    path: str
    oid: str
    size: Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]
    lfs: _Large | None = None


class _LargeSibling(msgspec.Struct):
    """What the list that comes with a commit says of content that is stored outside git."""

    sha256: str


class _Sibling(msgspec.Struct, rename="camel"):
    """A file, as the hub lists it with a commit. A mirror may leave out everything but the path."""

    rfilename: str
    blob_id: str | None = None
    size: Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)] | None = None
    lfs: _LargeSibling | None = None


class _Info(msgspec.Struct):
    """What the hub says of a revision and, if asked to, of its files."""

    id: str
    sha: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{40}\Z")]
    """The commit. The pattern is checked because the hub's client makes paths of its cache from it."""
    siblings: list[_Sibling] = []


class RepositoryFile(NamedTuple):
    """A file of a commit, as the hub lists it."""

    path: str
    """Where the file lies inside the repo."""
    size: int
    """Bytes."""
    blob: str
    """Git's id of what git keeps: the content, or a pointer to it."""
    sha256: str | None = None
    """The hash of content that is stored outside git (LFS, Xet); None for content that git keeps."""

    @property
    def mark(self) -> str:
        """A mark that changes when the content does."""
        return self.sha256 or self.blob

    def holds(self, size: int, sha256: str, blob: Callable[[], str]) -> bool:
        """Whether the content has this size and hash. `blob` computes git's id, only if git keeps the content."""
        if size != self.size:
            return False
        return sha256 == self.sha256 if self.sha256 is not None else blob() == self.blob


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


def resolve(repo: str, revision: str, *, policy: RetryPolicy) -> str:
    """The id of the commit that a revision means now. Raises as `get_json`."""
    info, _ = get_json(_revision(repo, revision), f"{repo}@{revision}", _Info, token=None, policy=policy)
    return info.sha


def list_files(
    repo: str, commit: str, *, token: str | bool | None = None, policy: RetryPolicy
) -> Iterator[RepositoryFile]:
    """All files of a commit. Raises as `get_json`; UpstreamError also for an unsafe path and for a list without end."""
    place = f"{repo}@{commit[:12]}"
    page: str | None = f"{_api(repo)}/tree/{commit}?recursive=true&expand=false"
    pages: set[str] = set()
    files = 0
    while page is not None:
        pages.add(page)
        # The token is meant for the hub, so it is not sent along to a next page on another host.
        known = urlsplit(page).netloc == urlsplit(endpoint()).netloc
        entries, page = get_json(
            page, f"files of {place}", list[_Entry], token=token if known else False, policy=policy
        )
        for entry in entries:
            if entry.type == "file":
                refuse_unsafe(entry.path, place)
                sha256 = entry.lfs.oid if entry.lfs else None
                yield RepositoryFile(path=entry.path, size=entry.size, blob=entry.oid, sha256=sha256)
        files += len(entries)
        if page in pages or len(pages) == _MOST_PAGES or files > _MOST_FILES:
            msg = f"{place}: its list of files does not end: {files} files on {len(pages)} pages so far"
            raise UpstreamError(msg)


def list_repo(repo: str, revision: str, *, token: str | bool | None) -> tuple[str, list[RepositoryFile]]:
    """Resolve a revision of a dataset repo and list its files: (commit, files).

    Raises:
        UpstreamError: gated, missing, moved, an unknown revision, no connection; or offline and not remembered.
    """
    key = f"{endpoint()} {repo}@{revision}"
    memory = _remembered()
    if is_offline() or (_COMMIT.fullmatch(revision) and key in memory):
        if key in memory:
            entry = memory[key]
            return entry["commit"], [RepositoryFile(*row) for row in entry["files"]]
        msg = (
            f"{repo}: offline (HF_HUB_OFFLINE or HF_DATASETS_OFFLINE), and revision {revision!r} was never resolved on "
            "this machine; go online once, or give upstream= a local mirror"
        )
        raise UpstreamError(msg)
    commit, files = _ask(repo, revision, token=token)
    entry = {"commit": commit, "files": [[file.path, file.size, file.mark] for file in files]}
    _remember({key: entry, f"{endpoint()} {repo}@{commit}": entry})
    return commit, files


def _ask(repo: str, revision: str, *, token: str | bool | None) -> tuple[str, list[RepositoryFile]]:
    place = f"{repo}@{revision}"
    with explained(repo, place):
        url = f"{_revision(repo, revision)}?blobs=true"
        info, _ = get_json(url, place, _Info, token=token, policy=retry.READING)
        if info.id != repo:
            msg = f"{repo} has moved to {info.id}; expected the repo at its own name (mirror it and give upstream=)"
            raise UpstreamError(msg)
        siblings = info.siblings if len(info.siblings) <= _FEW else []
        files = [file for sibling in siblings if (file := _file(sibling, place))]
        if not files or len(files) < len(info.siblings):
            files = list(list_files(repo, info.sha, token=token, policy=retry.READING))
        return info.sha, files


def _file(sibling: _Sibling, place: str) -> RepositoryFile | None:
    """A file that is listed with a commit; None if only its path is listed."""
    refuse_unsafe(sibling.rfilename, place)
    if sibling.size is None or sibling.blob_id is None:
        return None
    sha256 = sibling.lfs.sha256 if sibling.lfs else None
    return RepositoryFile(path=sibling.rfilename, size=sibling.size, blob=sibling.blob_id, sha256=sha256)


def _revision(repo: str, revision: str) -> str:
    return f"{_api(repo)}/revision/{quote(revision, safe='')}"


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
    """Keep the entries for later. If the home cannot be written, only offline use is lost."""
    path = _memory_path()
    try:
        write_file(path, json.dumps({**_remembered(), **entries}))
    except OutputError as error:
        _LOG.info("listings are not remembered: %s", error)
