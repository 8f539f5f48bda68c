"""Every call of a push, failed in every way: the repo ends with the old version, or the new one in one merge."""

from __future__ import annotations

import os
import signal
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sera_swezero.build.runner import build
from tests.hub import LoopbackHub
from tests.support.built import contents
from tests.support.publishing import SERA, sera_root, sera_row
from tests.support.pushing import Pusher

REPO = "org/set"


@dataclass(frozen=True)
class Call:
    """A request of a push: its method, host and a pattern of its path, the client's way of upload that makes it."""

    method: str
    path: str
    host: str = "hub"
    by: str = "xet"


CALLS = {
    "create repo": Call("POST", r"/api/repos/create$"),
    "head of main": Call("GET", r"/revision/main$"),
    "files of a commit": Call("GET", r"/tree/[0-9a-f]{40}$"),
    "manifest": Call("GET", r"/resolve/.*/manifest\.json$"),
    "tags": Call("GET", r"/refs$"),
    "who pushes": Call("GET", r"/whoami-v2$"),
    "list pull requests": Call("GET", r"/discussions$"),
    "open pull request": Call("POST", r"/discussions$"),
    "look at pull request": Call("GET", r"/discussions/\d+$"),
    "head of pull request": Call("GET", r"/revision/refs%2Fpr%2F"),
    "check of the card": Call("POST", r"/validate-yaml$"),
    "upload modes": Call("POST", r"/preupload/"),
    "xet token": Call("GET", r"/xet-write-token/"),
    "xet data": Call("POST", r"/v1/xorbs/", "cas"),
    "xet registration": Call("POST", r"/v1/shards$", "cas"),
    "LFS batch": Call("POST", r"/info/lfs/objects/batch$", by="lfs"),
    "LFS data": Call("PUT", r"/lfs/", "cdn", by="lfs"),
    "LFS verification": Call("POST", r"/info/lfs/verify$", by="lfs"),
    "commit": Call("POST", r"/commit/"),
    "footer": Call("GET", r"/resolve/.*\.parquet$"),
    "footer from the CDN": Call("GET", r"/objects/", "cdn"),
    "card, HEAD": Call("HEAD", r"/resolve/.*/README\.md$"),
    "card, GET": Call("GET", r"/resolve/.*/README\.md$"),
    "files for load_dataset": Call("GET", r"/tree/[0-9a-f]{40}/"),
    "draft to open": Call("POST", r"/discussions/\d+/status$"),
    "merge": Call("POST", r"/discussions/\d+/merge$"),
    "tag": Call("POST", r"/tag/"),
    "identity of the CI job": Call("GET", r"/ci/id-token$", by="oidc"),
    "exchange of the identity": Call("POST", r"/oauth/token$", by="oidc"),
}
FAULTS = ("429", "500", "503", "reset before", "reset after", "kill before", "kill after")

CASES = [(call, fault) for call in CALLS for fault in FAULTS]
# Those that change what readers see, in full; of the others one fault each.
DECIDING = {"commit", "merge"}
USUAL = [
    (call, fault)
    for number, call in enumerate(CALLS)
    for index, fault in enumerate(FAULTS)
    if call in DECIDING or index == number % len(FAULTS)
]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackHub]:
    with LoopbackHub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def pushers(hub: LoopbackHub) -> dict[str, Pusher]:
    """The pusher of each way of upload."""
    # The CI job's token opens one repo, so every case of it uses the same.
    ways = {"xet": hub.env(), "lfs": hub.env(HF_HUB_DISABLE_XET="1"), "oidc": hub.ci_env("org/oidc")}
    return {way: Pusher(env) for way, env in ways.items()}


def version(folder: Path, seed: int, rows: int) -> Path:
    """A built directory of three shards or fewer, with bytes that no other test has."""
    root = sera_root(folder / f"root-{rows}", [sera_row(seed + number, 3_000) for number in range(rows)])
    build([SERA], folder / f"built-{rows}", upstream=root, workers=1, shard_bytes=20_000)
    return folder / f"built-{rows}"


def data(files: dict[str, bytes]) -> dict[str, bytes]:
    """What of a version is the same wherever it is published: the card names its repo."""
    return {path: content for path, content in files.items() if path not in ("README.md", ".gitattributes")}


def published(hub: LoopbackHub, repo: str) -> dict[str, bytes]:
    """What readers see; nothing where there is no repo."""
    try:
        return data(hub.files(repo))
    except KeyError:
        return {}


def order(hub: LoopbackHub, call: Call, fault: str, pusher: Pusher) -> Any:
    where: dict[str, Any] = {"method": call.method, "path": call.path, "host": call.host}
    if fault in ("429", "500", "503"):
        return hub.faults.add("status", status=int(fault), retry_after=1 if fault == "429" else None, **where)
    if fault.startswith("reset"):
        return hub.faults.add(f"reset_{fault.split()[1]}", **where)  # type: ignore[arg-type]
    killed = hub.faults.add("hook", hook=lambda _: os.kill(pusher.pid, signal.SIGKILL), **where)
    hub.faults.add(f"reset_{fault.split()[1]}", **where)  # type: ignore[arg-type]
    return killed


def run_case(hub: LoopbackHub, pushers: dict[str, Pusher], tmp_path: Path, call: str, fault: str) -> None:
    name = f"{call}, {fault}"
    made = CALLS[call]
    pusher = pushers[made.by]
    seed = zlib.crc32(name.encode()) % 1_000_000_000
    repo = "org/oidc" if made.by == "oidc" else f"org/case-{seed}"
    old, new = version(tmp_path, seed, 9), version(tmp_path, seed + 500, 5)
    fresh = call == "create repo"
    if not fresh:
        hub.add_dataset(repo, contents(old))
    before = {} if fresh else hub.files(repo)
    merges = 1 if fresh else len(hub.commits(repo))
    pulls = 0 if fresh else len(hub.pull_requests(repo))
    tag = f"v{seed}"
    placed = order(hub, made, fault, pusher)
    ended = pusher.push(new, repo, tag=tag)
    assert placed.hits == 1, f"no push makes the call {call!r}"
    hub.faults.clear()
    wanted = data(contents(new))
    if fault.startswith("kill"):
        assert ended.status == -signal.SIGKILL
        now = published(hub, repo)
        assert now in (data(before), wanted), "the old version or the new one, and nothing else"
        ended = pusher.push(new, repo, tag=tag)
        assert ended.done in ("published", "unchanged"), ended.error
    else:
        assert ended.done == "published", ended.error
    assert data(hub.files(repo)) == wanted
    assert len(hub.commits(repo)) == merges + 1, "one merge, whatever happened"
    made_pulls = hub.pull_requests(repo)[pulls:]
    assert [pull.status for pull in made_pulls] == ["merged"], "one pull request"
    own = hub.commits(repo, made_pulls[0].ref)
    assert len(own) == merges + 1, "one commit to the pull request"
    assert hub.refs(repo)[f"refs/tags/{tag}"] == hub.head(repo)


@pytest.mark.parametrize(("call", "fault"), USUAL)
def test_a_push_survives(hub: LoopbackHub, pushers: dict[str, Pusher], tmp_path: Path, call: str, fault: str) -> None:
    run_case(hub, pushers, tmp_path, call, fault)


@pytest.mark.faults
@pytest.mark.parametrize(("call", "fault"), [case for case in CASES if case not in USUAL])
def test_a_push_survives_the_rest_of_the_table(
    hub: LoopbackHub, pushers: dict[str, Pusher], tmp_path: Path, call: str, fault: str
) -> None:
    run_case(hub, pushers, tmp_path, call, fault)
