"""Signatures of a whole corpus, while its rows stream past: 512 bytes a row in a temporary file, 8 in memory."""

from __future__ import annotations

import tempfile
from array import array
from hashlib import blake2b
from typing import IO

import numpy as np

from sera_swezero.quality.minhash import Signatures, Signer
from sera_swezero.quality.minhash_reference import SLOTS
from sera_swezero.quality.near_duplicates import kept, kept_within


class Spill:
    """The signatures of rows in their order, and which group (instance) each is of."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="sera-swezero-signatures-")  # noqa: SIM115 (kept open)
        self._groups: array[int] = array("Q")

    def __len__(self) -> int:
        return len(self._groups)

    def add(self, text: str, group: str) -> None:
        """Add the next row: its commands, and the name of its group."""
        self._file.write(self._signer.sign(text).tobytes())
        self._groups.append(int.from_bytes(blake2b(group.encode(), digest_size=8).digest(), "little"))

    def close(self) -> None:
        """Give the temporary file back."""
        self._file.close()

    def kept(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether each row stays, among all rows."""
        return kept(self._signatures())

    def kept_within(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether each row stays, among the rows of its own group."""
        return kept_within(self._signatures(), np.asarray(self._groups, np.uint64))

    def _signatures(self) -> Signatures:
        if not self._groups:
            return np.empty((0, SLOTS), np.uint32)
        self._file.flush()
        return np.memmap(self._file, np.uint32, "r", shape=(len(self._groups), SLOTS))
