"""Pushes in processes of their own, as `forked` makes them, and pull requests of strangers."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.forked import fork

if TYPE_CHECKING:
    from tests.hub import LoopbackHub

QUICK = {"attempts": 6, "first": 0.05, "longest": 1.0}
"""Short waits for tests, in seconds."""


@dataclass
class Ended:
    """How a push ended: the exit status of its process (negative: a signal), its outcome or its error."""

    status: int
    outcome: dict[str, Any] | None
    error: str

    @property
    def done(self) -> str:
        """The outcome in a word; "" for an error."""
        return self.outcome["done"] if self.outcome else ""


class Pusher:
    """Runs pushes, one at a time, against the hub of the given environment."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env

    @property
    def pid(self) -> int:
        """The process of the push that was started last."""
        return self._process.pid or 0

    def push(self, folder: Path, repo: str, **options: Any) -> Ended:
        """Push; blocks until the process has ended."""
        self.start(folder, repo, **options)
        return self.wait()

    def start(self, folder: Path, repo: str, **options: Any) -> None:
        """Begin a push; `pid` is its process."""
        self._result = folder.parent / f"{folder.name}.result"
        self._result.unlink(missing_ok=True)
        self._process = fork(_push, folder, repo, self._result, options, env=self._env)

    def wait(self) -> Ended:
        """Wait for the end of the push."""
        self._process.join()
        assert self._process.exitcode is not None
        result = json.loads(self._result.read_text()) if self._result.exists() else {}
        return Ended(self._process.exitcode, result.get("outcome"), result.get("error", ""))


def _push(folder: Path, repo: str, result: Path, options: dict[str, Any]) -> None:
    """Push, and write how it ended. A push that is killed writes nothing."""
    from sera_swezero.hub import retry
    from sera_swezero.hub.retry import RetryPolicy
    from sera_swezero.push.publish import push

    retry.READING = RetryPolicy(**QUICK)
    try:
        outcome = push(folder, repo, policy=RetryPolicy(**QUICK), **options)
        ended: dict[str, Any] = {"outcome": dataclasses.asdict(outcome)}
    except Exception as error:  # noqa: BLE001 (the test reads it)
        ended = {"error": f"{type(error).__name__}: {error}"}
    result.write_text(json.dumps(ended))


def plant_pull(hub: LoopbackHub, repo: str, title: str, author: str = "stranger", committer: str = "stranger") -> None:
    """Open a pull request with a script of somebody else's in it."""
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(endpoint=hub.endpoint, token=hub.token)
    number = api.create_pull_request(repo, title=title, repo_type="dataset").num
    adding = [CommitOperationAdd("script.py", b"print()")]
    api.create_commit(repo, adding, commit_message="x", repo_type="dataset", revision=f"refs/pr/{number}")
    planted = hub.pull_requests(repo)[number - 1]
    planted.author = author
    for event in planted.events:
        event["author"] = {"name": committer}
