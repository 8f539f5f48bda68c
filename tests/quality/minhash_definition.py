"""The SWE-ZERO card's definition of near-duplicates as plainly as it can be written. It is quadratic in rows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache

from sera_swezero.quality.minhash import SLOTS, THRESHOLD, shingles


@cache
def slot_hashes(shingle: str) -> list[int]:
    """A shingle's hash for every slot i: the first four bytes of md5(f"{i}:{shingle}"), little-endian."""
    return [
        int.from_bytes(hashlib.md5(f"{i}:{shingle}".encode(), usedforsecurity=False).digest()[:4], "little")
        for i in range(SLOTS)
    ]


def signature(text: str) -> list[int]:
    """The least hash of every slot over the text's shingles."""
    return [min(slot) for slot in zip(*map(slot_hashes, shingles(text)), strict=True)]


def similarity(one: Sequence[int], other: Sequence[int]) -> float:
    """The estimated Jaccard similarity of two texts: the share of slots with equal hashes."""
    return sum(a == b for a, b in zip(one, other, strict=True)) / SLOTS


def kept(texts: Sequence[str]) -> list[int]:
    """Positions of the texts that stay, first come, first kept."""
    signatures = [signature(text) for text in texts]
    stay: list[int] = []
    for position, mine in enumerate(signatures):
        if all(similarity(mine, signatures[earlier]) < THRESHOLD for earlier in stay):
            stay.append(position)
    return stay
