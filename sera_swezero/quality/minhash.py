"""MinHash signatures of command texts, exactly as `reference.signature` but some hundred times as fast.

Nearly all shingles of a rollout occur in others too, so the 128 hashes of a shingle are remembered, for a bounded
number of shingles; a signature is then one gather and one minimum.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from sera_swezero.quality.minhash_reference import SLOTS, shingles

Signatures = npt.NDArray[np.uint32]
"""A row per text, a column per slot."""

REMEMBERED = 1 << 18
"""Shingles whose hashes are kept: 128 MiB of hashes and some 30 MB of names."""

_PIECE = 1 << 14  # shingles gathered at a time (8 MiB), so that one huge text needs no more


class Signer:
    """Makes signatures. `remembered`: how many shingles' hashes it keeps, 512 bytes each; when full it starts anew."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._known: dict[str, int] = {}
        self._hashes: npt.NDArray[np.uint32] = np.empty((remembered, SLOTS), np.uint32)
        self._prefixes = [f"{slot}:".encode() for slot in range(SLOTS)]

    def sign(self, text: str) -> npt.NDArray[np.uint32]:
        """The signature of a text: 128 hashes."""
        return self.sign_shingles(sorted(shingles(text)))

    def sign_shingles(self, names: list[str]) -> npt.NDArray[np.uint32]:
        """The signature of a text that has these shingles."""
        piece = min(_PIECE, len(self._hashes))
        least = np.full(SLOTS, np.iinfo(np.uint32).max, np.uint32)
        for start in range(0, len(names), piece):
            rows = self._rows(names[start : start + piece])
            np.minimum(least, self._hashes[rows].min(axis=0), out=least)
        return least

    def _rows(self, names: list[str]) -> list[int]:
        """Where the hashes of these shingles stand; those not known yet are made."""
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
