"""The snapshot of what a request reads."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from sera_swezero.request.settle import Request
from sera_swezero.upstream import Snapshot, take_snapshot

_LOG = logging.getLogger("sera_swezero")


def snapshot_of(request: Request, *, token: str | bool | None = None) -> Snapshot:
    """Resolve and list what the request reads. For your own runs, log which files are read and which are not.

    The token and the errors are those of `take_snapshot`.
    """
    arguments = request.arguments
    snapshot = take_snapshot(request.origins, upstream=arguments.upstream, revision=arguments.revision, token=token)
    if request.config.own and snapshot.left_alone:
        read = Counter(Path(file.path).suffix for file in snapshot.files)
        place = arguments.upstream or ", ".join(snapshot.commits)
        _LOG.warning("%s: reads %s; leaves alone %s", place, _counted(read), _counted(snapshot.left_alone))
    return snapshot


def _counted(suffixes: Mapping[str, int]) -> str:
    """Files by suffix, the most frequent first."""
    ordered = sorted(suffixes.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} {suffix or 'without a suffix'}" for suffix, count in ordered)
