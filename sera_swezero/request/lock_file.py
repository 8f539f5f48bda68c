"""The lock file: upstream commits written down, so that every later run reads the same versions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from sera_swezero.catalog import CONFIGS
from sera_swezero.display.outputs import write_file
from sera_swezero.errors import ConfigError
from sera_swezero.request.arguments import StrPath
from sera_swezero.request.settle import settle
from sera_swezero.upstream import take_snapshot
from sera_swezero.upstream.snapshot import read_lock


class LockUpdate(NamedTuple):
    """What an update of a lock file did. Each mapping is from repo to commit."""

    before: Mapping[str, str]
    """What the file said before; empty if there was no file."""
    resolved: Mapping[str, str]
    """The current commits."""
    after: Mapping[str, str]
    """What the file says now: the current commits, and those of other repos as they were."""


def update_lock(path: Path, names: Iterable[str] = (), upstream: StrPath | None = None) -> LockUpdate:
    """Resolve the upstream repos of configs to commits, and write `{"repos": {repo: commit}}`.

    Args:
        path: the lock file; repos in it that are not resolved now keep their commits.
        names: config names; if there are none, all configs that have repos.
        upstream: where your own runs are on the hub, as `hf://datasets/OWNER/NAME`.

    Raises:
        ConfigError: an unknown config, a root that has no commits, or a file that is not a lock file.
        UpstreamError: a repo cannot be resolved; the file stays as it was.
        OutputError: the file cannot be written.
    """
    names = list(names) or [name for name, config in CONFIGS.items() if not config.own]
    requests = [settle(name, upstream=upstream) for name in names]
    if any(request.arguments.upstream is not None for request in requests):
        msg = f"upstream={str(upstream)!r} has no commits to lock for {', '.join(names)}; only the hub has commits"
        raise ConfigError(msg)
    origins = {origin.repo: origin for request in requests for origin in request.origins}
    before = read_lock(str(path)) if path.is_file() else {}
    resolved = dict(take_snapshot(list(origins.values())).commits)
    after = dict(sorted({**before, **resolved}.items()))
    write_file(path, json.dumps({"repos": after}, indent=2) + "\n")
    return LockUpdate(before=before, resolved=resolved, after=after)
