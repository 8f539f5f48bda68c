"""Where a file of a snapshot is read from: the hub's cache, the hub, or below a root."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from sera_swezero.errors import UpstreamError
from sera_swezero.hub.ranged_get import Remote
from sera_swezero.upstream.shards import Shard
from sera_swezero.upstream.snapshot import Snapshot


def _cached(snapshot: Snapshot, repo: str, path: str) -> str | None:
    """Where the hub's cache has the file, if it does."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repo, path, repo_type="dataset", revision=snapshot.commits[repo])
    return found if isinstance(found, str) else None


def remote_file(snapshot: Snapshot, shard: Shard) -> Remote | None:
    """The shard's file on the hub; None below a root or in the hub's cache. Raises UpstreamError offline."""
    if snapshot.root is not None or _cached(snapshot, shard.repo, shard.file):
        return None
    from huggingface_hub import constants

    commit = snapshot.commits[shard.repo]
    if constants.HF_HUB_OFFLINE:
        msg = (
            f"{shard.repo}/{shard.file}: offline (HF_HUB_OFFLINE), and the file is not in the hub cache; go online, or "
            f"run `hf download --repo-type dataset {shard.repo} --revision {commit}` beforehand"
        )
        raise UpstreamError(msg)
    return Remote(snapshot.endpoint, shard.repo, shard.file, commit, shard.size, snapshot.token)


def open_local(snapshot: Snapshot, repo: str, path: str) -> IO[bytes]:
    """Open a file of the hub's cache or below the root (a folder or any fsspec URL)."""
    if snapshot.root is None:
        return Path(_cached(snapshot, repo, path) or "").open("rb")
    import fsspec

    fs, base = fsspec.core.url_to_fs(snapshot.root)
    where = f"{base.rstrip('/')}/{repo}/{path}"
    local = isinstance(fs, fsspec.implementations.local.LocalFileSystem)
    return Path(where).open("rb") if local else fs.open(where, "rb")
