"""MinHash signatures of command texts, by the definition of the SWE-ZERO card.

A text's shingles are its distinct character 5-grams. Slot i of its signature is the least hash of any shingle, where
the hash is the first four bytes of md5(f"{i}:{shingle}"), little-endian. Two texts are near-duplicates if at least half
of their slots are equal.

Nearly all shingles of a rollout occur in others too, so the 128 hashes of a shingle are remembered, for a bounded
number of shingles. A signature is then one gather and one minimum, some hundred times as fast as the definition.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

SHINGLE = 5
"""Characters of a shingle. A text that is shorter is itself its only shingle."""

SLOTS = 128
"""Hashes of a signature."""

THRESHOLD = 0.5
"""The least similarity of near-duplicates, as a share of equal slots."""

Signatures = npt.NDArray[np.uint32]
"""One row per text, one column per slot."""

REMEMBERED = 1 << 18
"""Shingles whose hashes are kept: 128 MiB of hashes and some 30 MB of names."""

_PIECE = 1 << 14  # shingles gathered at a time (8 MiB), so that one huge text needs no more


def shingles(text: str) -> set[str]:
    """The distinct shingles of a text."""
    return {text[i : i + SHINGLE] for i in range(len(text) - SHINGLE + 1)} or {text}


class Signer:
    """Makes signatures.

    Args:
        remembered: how many shingles' hashes it keeps, 512 bytes each. It forgets all of them when it is full.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._known: dict[str, int] = {}
        self._hashes: npt.NDArray[np.uint32] = np.empty((remembered, SLOTS), np.uint32)
        self._prefixes = [f"{slot}:".encode() for slot in range(SLOTS)]

    def sign(self, text: str) -> bytes:
        """The signature of a text: 128 hashes of four bytes."""
        names = sorted(shingles(text))
        piece = min(_PIECE, len(self._hashes))
        least = np.full(SLOTS, np.iinfo(np.uint32).max, np.uint32)
        for start in range(0, len(names), piece):
            rows = self._rows(names[start : start + piece])
            np.minimum(least, self._hashes[rows].min(axis=0), out=least)
        return least.tobytes()

    def _rows(self, names: list[str]) -> list[int]:
        """For each shingle, the row of `_hashes` with its hashes, which are made where they are missing."""
        known = self._known
        new = [name for name in names if name not in known]
        if len(known) + len(new) > len(self._hashes):
            known.clear()
            new = names
        for name in new:
            self._hashes[len(known)] = self._hash(name.encode())
            known[name] = len(known)
        return [known[name] for name in names]

    def _hash(self, name: bytes) -> npt.NDArray[np.uint32]:
        md5: Any = hashlib.md5
        digests = [md5(prefix + name, usedforsecurity=False).digest()[:4] for prefix in self._prefixes]
        return np.frombuffer(b"".join(digests), "<u4")
