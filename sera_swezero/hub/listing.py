"""The hub's half of a snapshot: one request to resolve a revision, one listing a repo, both remembered."""

from __future__ import annotations

import json
import logging
import re
import tempfile
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import RepoFile

from sera_swezero.errors import UpstreamError
from sera_swezero.upstream.snapshot import File, memory_path

_LOG = logging.getLogger(__name__)
_COMMIT = re.compile("[0-9a-f]{40}")
_TIMEOUT = 30.0  # seconds; the client's own default is none at all


def endpoint() -> str:
    """The hub in use (HF_ENDPOINT)."""
    return str(constants.ENDPOINT)


def list_repo(repo: str, revision: str, *, token: str | bool | None) -> tuple[str, list[File]]:
    """Resolve a revision of a dataset repo and list its files: (commit, files).

    Raises:
        UpstreamError: gated, missing, moved, an unknown revision, no connection; or offline and not remembered.
    """
    key = f"{endpoint()} {repo}@{revision}"
    memory = _remembered()
    if constants.HF_HUB_OFFLINE or (_COMMIT.fullmatch(revision) and key in memory):
        if key in memory:
            entry = memory[key]
            return entry["commit"], [File(repo, *row) for row in entry["files"]]
        msg = (
            f"{repo}: offline (HF_HUB_OFFLINE), and revision {revision!r} was never resolved on this machine; "
            "go online once, or give upstream= a local mirror"
        )
        raise UpstreamError(msg)
    commit, files = _ask(repo, revision, token=token)
    entry = {"commit": commit, "files": [list(file[1:]) for file in files]}
    _remember({key: entry, f"{endpoint()} {repo}@{commit}": entry})
    return commit, files


def _ask(repo: str, revision: str, *, token: str | bool | None) -> tuple[str, list[File]]:
    api = HfApi(token=token)
    at = f"{repo}@{revision}"
    try:
        info = api.dataset_info(repo, revision=revision, timeout=_TIMEOUT)
        _check_name(info.id, repo)
        commit = str(info.sha)
        tree = api.list_repo_tree(repo, repo_type="dataset", revision=commit, recursive=True)
        files = [
            File(repo, entry.path, entry.size, entry.lfs.sha256 if entry.lfs else entry.blob_id)
            for entry in tree
            if isinstance(entry, RepoFile)
        ]
    except GatedRepoError as error:
        msg = f"{repo} is gated: ask for access on its page, then log in (`hf auth login`) or set HF_TOKEN"
        raise UpstreamError(msg) from error
    except RevisionNotFoundError as error:
        msg = f"{at}: there is no such revision; expected a branch, a tag or a commit of {repo}"
        raise UpstreamError(msg) from error
    except RepositoryNotFoundError as error:
        msg = f"{repo}: no such dataset on {endpoint()}, or it is private and the token does not open it"
        raise UpstreamError(msg) from error
    except (HfHubHTTPError, OfflineModeIsEnabled, OSError) as error:
        raise UpstreamError(_unanswered(at, error)) from error
    except Exception as error:
        # The client's transport errors are requests', httpx' or httpx2's, by version; none is an OSError in all three.
        if type(error).__module__.partition(".")[0] in {
            "requests",
            "httpx",
            "httpx2",
            "httpcore",
            "httpcore2",
            "urllib3",
        }:
            raise UpstreamError(_unanswered(at, error)) from error
        raise
    return commit, files


def _check_name(found: str, repo: str) -> None:
    if found != repo:
        msg = f"{repo} has moved to {found}; expected the repo at its own name (mirror it and give upstream=)"
        raise UpstreamError(msg)


def _unanswered(at: str, error: Exception) -> str:
    return f"{at}: the hub at {endpoint()} did not answer as expected: {type(error).__name__}: {error}"


def _remembered() -> dict[str, Any]:
    try:
        memory = json.loads(memory_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return memory if isinstance(memory, dict) else {}


def _remember(entries: dict[str, Any]) -> None:
    """Keep the entries for later; a home that cannot be written only costs the offline use."""
    path = memory_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as handle:
            json.dump({**_remembered(), **entries}, handle)
        Path(handle.name).replace(path)
    except OSError as error:
        _LOG.info("listings are not remembered in %s: %s", path, error)
