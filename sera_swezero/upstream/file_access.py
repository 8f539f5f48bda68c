"""Where a file of a snapshot is read from: the hub's cache, the hub, or a root."""

from __future__ import annotations

from pathlib import Path
from typing import IO

from sera_swezero.errors import UpstreamError
from sera_swezero.hub.hub_file import HubFile
from sera_swezero.hub.session import is_offline
from sera_swezero.upstream.records import Shard
from sera_swezero.upstream.snapshot import Snapshot, local_folder


def _cached(snapshot: Snapshot, shard: Shard) -> str | None:
    """The file's path in the cache of the hub's client; None if it is not there."""
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(shard.repo, shard.file, repo_type="dataset", revision=snapshot.commits[shard.repo])
    return found if isinstance(found, str) else None


def hub_file(snapshot: Snapshot, shard: Shard) -> HubFile | None:
    """The shard's file on the hub; None if it is below a root or in the hub's cache. Raises UpstreamError offline."""
    if snapshot.root is not None or _cached(snapshot, shard):
        return None
    commit = snapshot.commits[shard.repo]
    if is_offline():
        msg = (
            f"{shard.place}: offline (HF_HUB_OFFLINE or HF_DATASETS_OFFLINE), and the file is not in the hub cache; go "
            f"online, or run `hf download --repo-type dataset {shard.repo} --revision {commit}` beforehand"
        )
        raise UpstreamError(msg)
    return HubFile(
        endpoint=snapshot.endpoint,
        repo=shard.repo,
        path=shard.file,
        commit=commit,
        size=shard.size,
        token=snapshot.token,
    )


def open_local(snapshot: Snapshot, shard: Shard) -> IO[bytes]:
    """Open the shard's file in the hub's cache or below the root (a folder or any fsspec URL)."""
    if snapshot.root is None:
        return Path(_cached(snapshot, shard) or "").open("rb")
    if (folder := local_folder(snapshot.root)) is not None:
        return (folder / shard.place).open("rb")
    import fsspec

    fs, base = fsspec.core.url_to_fs(snapshot.root)
    opened: IO[bytes] = fs.open(f"{base.rstrip('/')}/{shard.place}", "rb")
    return opened


def ends_early(shard: Shard, at: int) -> UpstreamError:
    """The error for a file that is shorter than it was listed."""
    return UpstreamError(f"{shard.place}: ends at byte {at} of {shard.size}; the file changed or is incomplete")
