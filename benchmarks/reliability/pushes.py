"""Two and three pushes at once, with faults and kills: readers see the old version or one new one, whole."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.reliability.rounds import Part, Play
from sera_swezero.build import manifest
from tests.hub import LoopbackHub
from tests.push.test_push_faults import CALLS, contents, data, version
from tests.support.pushing import Ended, Pusher, plant_pull

_USED = [call for call in CALLS.values() if call.by == "xet"]
_TAG = "v1"


@contextmanager
def _prepared(folder: Path) -> Iterator[Play]:
    with LoopbackHub(folder / "hub") as hub:
        homes = [{"HF_HOME": str(folder / f"home-{number}")} for number in range(3)]
        pushers = [Pusher(hub.env(**home)) for home in homes]
        yield partial(_play, hub, pushers, folder)


def _play(hub: LoopbackHub, pushers: list[Pusher], folder: Path, rng: random.Random) -> dict[str, int]:
    name = f"{rng.getrandbits(40):x}"
    repo, seed = f"org/set-{name}", rng.randrange(10**9)
    old = version(folder / name, seed, 9)
    hub.add_dataset(repo, contents(old))
    base = hub.head(repo)
    chosen = rng.sample(pushers, rng.choice([2, 3]))
    # The same version twice, or another one each.
    folders = [version(folder / name / str(at), seed + 500, rng.choice([4, 5])) for at in range(len(chosen))]
    squatted = rng.random() < 0.5
    if squatted:
        digest = manifest.read(folders[0]).digest  # type: ignore[union-attr]
        plant_pull(hub, repo, f"Publish {digest[:16]} on {base[:12]}", author=rng.choice(["stranger", "tester"]))
    running = set(chosen)
    faults = [_fault(hub, rng, running) for _ in range(rng.randint(0, 6))]
    meeting = threading.Barrier(len(chosen), timeout=5)
    hub.faults.add("hook", method="GET", path=r"/revision/main$", times=len(chosen), hook=lambda _: _meet(meeting))
    ended = _push_all(chosen, folders, repo, running)
    hub.faults.clear()
    merges = _check(hub, repo, old, folders, ended)
    last = chosen[0].push(folders[0], repo)
    assert last.done in ("published", "unchanged"), last.error
    assert data(hub.files(repo)) == data(contents(folders[0]))
    if squatted:
        assert hub.pull_requests(repo)[0].status == "draft", "a stranger's pull request was taken over"
        assert len(hub.commits(repo, "refs/pr/1")) == len(hub.commits(repo, base)) + 1
    return {
        "repositories ended with one merge": merges == 1,
        "repositories kept their old version": merges == 0,
        "pushes": len(ended),
        "pushes were killed": sum(one.status < 0 for one in ended),
        "pushes ended in a `PublishError`": sum(one.error.startswith("PublishError") for one in ended),
        "faults": sum(fault.hits for fault in faults),
        "strangers' pull requests were left alone": squatted,
    }


def _meet(meeting: threading.Barrier) -> None:
    """Have all pushes start from the same commit; one that was killed before is not waited for."""
    with contextlib.suppress(threading.BrokenBarrierError):
        meeting.wait()


def _fault(hub: LoopbackHub, rng: random.Random, running: set[Pusher]) -> Any:
    """Order one fault of a random call: of a push, or of all of them until one is through."""
    call = rng.choice(_USED)
    where: dict[str, Any] = {"method": call.method, "path": call.path, "host": call.host, "skip": rng.randint(0, 2)}
    kind = rng.choice(["status", "reset_before", "reset_after", "latency", "hook"])
    if kind == "hook":
        victim = rng.random()

        def kill(_: object) -> None:
            alive = sorted(running, key=id)
            if alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(alive[int(victim * len(alive))].pid, signal.SIGKILL)

        return hub.faults.add("hook", hook=kill, **where)
    status, times = rng.choice([429, 500, 503]), rng.randint(1, 4)
    return hub.faults.add(kind, status=status, seconds=rng.uniform(0, 0.3), times=times, **where)


def _push_all(chosen: list[Pusher], folders: list[Path], repo: str, running: set[Pusher]) -> list[Ended]:
    for pusher, out in zip(chosen, folders, strict=True):
        pusher.start(out, repo, tag=_TAG)
    ended = []
    for pusher in chosen:
        ended.append(pusher.wait())
        running.discard(pusher)
    return ended


def _check(hub: LoopbackHub, repo: str, old: Path, folders: list[Path], ended: list[Ended]) -> int:
    """Check what readers see now and saw in between; returns how often main changed."""
    before, *after = [data(hub.files(repo, commit.id)) for commit in reversed(hub.commits(repo))][1:]
    assert before == data(contents(old))
    made = [data(contents(out)) for out in folders]
    assert all(files in made for files in after), "readers saw something that nobody pushed"
    assert len(after) <= 1, "two merges of pushes that started from the same commit"
    assert all("script.py" not in files for files in after)
    for one, files in zip(ended, made, strict=True):
        assert one.status < 0 or one.done in ("published", "unchanged") or one.error.startswith("PublishError"), one
        if one.done:
            assert after == [files]
            assert data(hub.files(repo, _TAG)) == files
    return len(after)


PART = Part(
    name="pushes",
    tried="Two or three pushes of the same version or of several start at once from the same commit, under up to six "
    "orders of faults at random calls, kills among them, half of the time beside a stranger's pull request of the same "
    "title; after it one push without faults must publish its version",
    prepared=_prepared,
)
