"""Pushes in processes of their own, quickly: one process imports everything once and forks for every push.

    python tests/support/pushing.py    reads jobs as lines of JSON; answers with the pid, then with the exit status

A push that a test kills is a real process with real sockets; what is shared is only the time of the imports.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from tests.hub import LoopbackHub

HERE = Path(__file__).resolve().parents[2]
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
    """Runs pushes against the hub of the given environment. A context manager."""

    def __init__(self, env: dict[str, str]) -> None:
        command = [sys.executable, str(Path(__file__).resolve())]
        self._process = subprocess.Popen(
            command, env=env, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(30)

    def push(self, folder: Path, repo: str, **options: Any) -> Ended:
        """Push; blocks until the process has ended."""
        self.start(folder, repo, **options)
        return self.wait()

    def start(self, folder: Path, repo: str, **options: Any) -> None:
        """Begin a push; `pid` is its process."""
        assert self._process.stdin
        self._result = folder.parent / f"{folder.name}.result"
        self._result.unlink(missing_ok=True)
        job = {"folder": str(folder), "repo": repo, "result": str(self._result), "options": options}
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        self.pid = int(self._line())

    def wait(self) -> Ended:
        """Wait for the end of the push."""
        status = int(self._line())
        result = json.loads(self._result.read_text()) if self._result.exists() else {}
        return Ended(status, result.get("outcome"), result.get("error", ""))

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the pusher has died"
        return line


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


def serve() -> None:
    """Read jobs until the end of the input."""
    import dataclasses

    from sera_swezero.hub import retry
    from sera_swezero.hub.retry import RetryPolicy
    from sera_swezero.push.publish import push

    retry.READING = RetryPolicy(**QUICK)
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if not pid:
            result: dict[str, Any] = {}
            try:
                outcome = push(Path(job["folder"]), job["repo"], policy=RetryPolicy(**QUICK), **job["options"])
                result["outcome"] = dataclasses.asdict(outcome)
            except Exception as error:  # noqa: BLE001 (the test reads it)
                result["error"] = f"{type(error).__name__}: {error}"
            Path(job["result"]).write_text(json.dumps(result))
            os._exit(0 if "outcome" in result else 1)
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    serve()
