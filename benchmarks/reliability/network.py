"""Streams from a hub whose answers fail at random: the same rows come out, or an UpstreamError."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from benchmarks.reliability.rounds import Part, Play
from sera_swezero.errors import UpstreamError
from sera_swezero.hub import retry, session
from sera_swezero.hub.cdn_addresses import ADDRESSES
from sera_swezero.hub.retry import RetryPolicy
from sera_swezero.upstream import row_groups
from tests.hub import LoopbackHub
from tests.support.streams import CONFIG, T2, ZERO, aim, make, stream

_SILENCE = 0.5  # seconds in which the hub must say something here


@contextmanager
def hub_of_streams(folder: Path) -> Iterator[LoopbackHub]:
    """A hub with a SERA set of some MB and the sample of SWE-ZERO, that this process reads from with short waits."""
    from sera_swezero.sample import ROOT

    make(folder / "large", 24)
    with LoopbackHub(folder / "hub") as hub, pytest.MonkeyPatch.context() as patch:
        hub.add_dataset(T2, folder / "large" / T2)
        hub.add_dataset(ZERO, ROOT / ZERO)
        aim(patch, hub)
        patch.setenv("HF_HOME", str(folder / "home"))
        patch.setattr(retry, "READING", RetryPolicy(first=0.01, longest=0.1))
        patch.setattr(session, "TIMEOUT", _SILENCE)
        patch.setattr(session, "PATIENCE", 4 * _SILENCE)
        patch.setattr(session, "LEAST", 1000)
        yield hub


def chosen(rng: random.Random) -> dict[str, Any]:
    """A config, and how it is cut and ordered."""
    return {
        "name": CONFIG[rng.choice([T2, ZERO])],
        "shard_bytes": rng.choice([200_000, 1 << 20, 1 << 30]),
        "shuffle_seed": rng.choice([None, 5]),
    }


@contextmanager
def _prepared(folder: Path) -> Iterator[Play]:
    @cache
    def expected(**arguments: Any) -> list[dict[str, Any]]:
        return list(stream(**arguments))

    with hub_of_streams(folder) as hub:

        def play(rng: random.Random) -> dict[str, int]:
            arguments = chosen(rng)
            hub.faults.clear()
            wanted = expected(**arguments)
            ADDRESSES._known.clear()  # noqa: SLF001 (a round depends on none before it)
            row_groups._hub_footer.cache_clear()  # noqa: SLF001
            faults = [hub.faults.add(**_fault(rng)) for _ in range(rng.randint(1, 12))]
            try:
                rows = list(stream(**arguments))
            except UpstreamError:
                came = "streams ended in an `UpstreamError`"
            else:
                assert rows == wanted, f"{len(rows)} rows, where {len(wanted)} were expected"
                came = "streams gave the same rows"
            return {came: 1, "faults": sum(fault.hits for fault in faults)}

        yield play


def _fault(rng: random.Random) -> dict[str, Any]:
    """An order for the hub. One in fifty never ends."""
    host, path = rng.choice([("cdn", ""), ("cdn", ""), ("hub", "/resolve/"), ("hub", "/revision/"), ("hub", "/tree/")])
    kinds = ["status", "reset_before", "reset_after", "reset_mid_body", "truncated", "stall", "latency", "bandwidth"]
    kinds += ["wrong_content_range", "ignore_range", "compressed"] if host == "cdn" else ["stale_redirect"]
    kind = rng.choice(kinds)
    return {
        "kind": kind,
        "host": host,
        "path": path,
        "skip": rng.randint(0, 6),
        "times": None if rng.random() < 0.02 else rng.randint(1, 5),
        "status": rng.choice([403, 404] if kind == "stale_redirect" else [408, 429, 500, 502, 503, 504]),
        "retry_after": rng.choice([None, 0]),
        "after": rng.choice([None, rng.randint(1, 500_000)]),
        "seconds": 3 * _SILENCE if kind == "stall" else rng.uniform(0, _SILENCE / 5),
        "bytes_per_second": rng.choice([20, 1 << 20, 8 << 20]),
    }


PART = Part(
    name="network",
    tried="Up to twelve faults are ordered at random (resets, silence, cut, slow, compressed or wrong answers, "
    "statuses, stale addresses), and a stream of random shards and order is read to its end",
    prepared=_prepared,
)
