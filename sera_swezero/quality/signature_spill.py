"""Signatures of a whole corpus, while its rows stream past: per row 512 bytes in a temporary file, 8 in memory."""

from __future__ import annotations

import tempfile
from array import array
from hashlib import blake2b
from typing import IO

import numpy as np
import numpy.typing as npt

from sera_swezero.quality import near_duplicates
from sera_swezero.quality.minhash import SLOTS, Signatures, Signer
from sera_swezero.quality.tally import Unique


class Spill:
    """The signatures of rows in their order, and to which group (instance) each belongs."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="sera-swezero-signatures-")  # noqa: SIM115 (kept open)
        self._groups: array[int] = array("Q")

    def __len__(self) -> int:
        return len(self._groups)

    def add(self, text: str, group: str) -> None:
        """Add the next row: its commands, and the name of its group."""
        self.add_signature(self._signer.sign(text).tobytes(), group)

    def add_signature(self, signature: bytes, group: str) -> None:
        """Add the next row, which is signed already."""
        self._file.write(signature)
        self._groups.append(int.from_bytes(blake2b(group.encode(), digest_size=8).digest(), "little"))

    def close(self) -> None:
        """Remove the temporary file."""
        self._file.close()

    def kept(self, within: str = "corpus") -> npt.NDArray[np.bool_]:
        """Whether each row stays, among all rows ("corpus") or among those of its own group ("instance")."""
        if within == "corpus":
            return near_duplicates.kept(self._signatures())
        return near_duplicates.kept_within(self._signatures(), np.asarray(self._groups, np.uint64))

    def unique(self) -> Unique:
        """How many rows stay, either way."""
        return Unique(rows=len(self), corpus=int(self.kept().sum()), instance=int(self.kept("instance").sum()))

    def _signatures(self) -> Signatures:
        if not self._groups:
            return np.empty((0, SLOTS), np.uint32)
        self._file.flush()
        return np.memmap(self._file, np.uint32, "r", shape=(len(self._groups), SLOTS))
