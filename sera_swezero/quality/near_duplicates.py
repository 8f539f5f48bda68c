"""Which rows the card's definition keeps, from their signatures: the same answer, without comparing all pairs.

Two rows are near-duplicates if at least 64 of their 128 slots are equal. In any one order of all slot values, the first
12 of the values that two such rows share have at most 64 others before them in either row, since those are not shared;
so they are among the first 76 of both. The order is from the rarest value on: what most rollouts share (`cd`,
`grep -rn`, the submit line) comes last and is hardly ever looked up. Rows that share 12 of their 76 rarest values are
compared in full, so nothing is missed and little is compared.

This is locality-sensitive hashing with bands of a single slot, limited to the rarest values of each row. Bands of
several slots either miss pairs near the threshold or compare a share of all rows; docs/decisions has the figures.
"""

from __future__ import annotations

import tempfile
from array import array
from collections import defaultdict
from hashlib import blake2b
from typing import IO

import numpy as np
import numpy.typing as npt

from sera_swezero.quality.minhash import SLOTS, THRESHOLD, Signatures
from sera_swezero.quality.tally import Unique

EQUAL = int(SLOTS * THRESHOLD)
"""Equal slots that make two rows near-duplicates."""

_SHARED = 12  # any number gives the same answer; measured from 1 to 32, this is among the fastest
_RAREST = SLOTS - EQUAL + _SHARED
_SMALL = 256  # rows up to which comparing all pairs is faster than an index
_BLOCK = 4096  # rows whose rarest values are picked at a time


def kept(signatures: Signatures) -> npt.NDArray[np.bool_]:
    """Whether each row stays, by the card's definition: it has no near-duplicate among the rows kept before it."""
    return _all_pairs(signatures) if len(signatures) <= _SMALL else _indexed(signatures)


def kept_within(signatures: Signatures, groups: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Whether each row stays if only rows of its own group (such as an instance) count against it."""
    order = np.argsort(groups, kind="stable")
    edges = np.flatnonzero(np.diff(groups[order])) + 1
    stay = np.ones(len(signatures), np.bool_)
    for members in np.split(order, edges):
        if len(members) > 1:
            stay[members] = kept(signatures[members])
    return stay


class Spill:
    """The signatures of rows in their order, and the group (such as an instance) to which each row belongs.

    Each row takes 512 bytes in a temporary file and 8 in memory.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="sera-swezero-signatures-")  # noqa: SIM115 (kept open)
        self._groups: array[int] = array("Q")

    def __len__(self) -> int:
        return len(self._groups)

    def add(self, signature: bytes, group: str) -> None:
        """Add the next row: the signature of its commands, and the name of its group."""
        self._file.write(signature)
        self._groups.append(int.from_bytes(blake2b(group.encode(), digest_size=8).digest(), "little"))

    def close(self) -> None:
        """Remove the temporary file."""
        self._file.close()

    def kept(self, within: str = "corpus") -> npt.NDArray[np.bool_]:
        """Whether each row stays, among all rows ("corpus") or among those of its own group ("instance")."""
        if within == "corpus":
            return kept(self._signatures())
        return kept_within(self._signatures(), np.asarray(self._groups, np.uint64))

    def unique(self) -> Unique:
        """How many rows stay, either way."""
        return Unique(rows=len(self), corpus=int(self.kept().sum()), instance=int(self.kept("instance").sum()))

    def _signatures(self) -> Signatures:
        if not self._groups:
            return np.empty((0, SLOTS), np.uint32)
        self._file.flush()
        return np.memmap(self._file, np.uint32, "r", shape=(len(self._groups), SLOTS))


def _all_pairs(signatures: Signatures) -> npt.NDArray[np.bool_]:
    stay = np.zeros(len(signatures), np.bool_)
    firsts = np.empty_like(signatures)
    count = 0
    for position, row in enumerate(signatures):
        if count and ((firsts[:count] == row).sum(axis=1) >= EQUAL).any():
            continue
        firsts[count] = row
        count += 1
        stay[position] = True
    return stay


def _indexed(signatures: Signatures) -> npt.NDArray[np.bool_]:
    stay = np.zeros(len(signatures), np.bool_)
    rarity = _rarity(signatures)
    holders: defaultdict[int, array[int]] = defaultdict(lambda: array("i"))
    firsts = array("i")
    for start in range(0, len(signatures), _BLOCK):
        block = np.asarray(signatures[start : start + _BLOCK])
        for offset, values in enumerate(_telling(block, rarity[start : start + _BLOCK])):
            known = [np.frombuffer(holders[value], np.int32) for value in values if value in holders]
            if known:
                shared = np.bincount(np.concatenate(known))
                near = np.frombuffer(firsts, np.int32)[np.flatnonzero(shared >= _SHARED)]
                if ((signatures[near] == block[offset]).sum(axis=1) >= EQUAL).any():
                    continue
            del known[:]  # an array cannot grow while it is looked at
            stay[start + offset] = True
            for value in values:
                holders[value].append(len(firsts))
            firsts.append(start + offset)
    return stay


def _rarity(signatures: Signatures) -> npt.NDArray[np.uint8]:
    """How often each row's value of each slot occurs over all rows: eight times the binary logarithm, so 0 is once."""
    found = np.empty(signatures.shape, np.uint8)
    for slot in range(SLOTS):
        _, inverse, counts = np.unique(signatures[:, slot], return_inverse=True, return_counts=True)
        found[:, slot] = np.ceil(8 * np.log2(counts)).astype(np.uint8)[inverse]
    return found


def _telling(block: Signatures, rarity: npt.NDArray[np.uint8]) -> list[list[int]]:
    """Each row's rarest values, as numbers that include the slot, without those that no other row has.

    Rarest first, then by slot: a strict order of all values, the same for every row, on which the proof above rests.
    """
    slots = np.arange(SLOTS)
    rarest = np.argpartition(rarity.astype(np.uint16) * SLOTS + slots, _RAREST - 1, axis=1)[:, :_RAREST]
    values = np.take_along_axis(block, rarest, axis=1).astype(np.int64) * SLOTS + rarest
    shared = np.take_along_axis(rarity, rarest, axis=1) > 0
    return [row[telling].tolist() for row, telling in zip(values, shared, strict=True)]
