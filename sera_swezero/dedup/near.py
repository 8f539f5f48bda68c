"""Which rows the card's definition keeps, from their signatures: exact, in time linear in rows.

Two rows are near-duplicates if at least 64 of their 128 slots are equal. So of the 65 rarest slot values of each, at
least one is in both: the rarest value that they share has at most 64 others before it in either row, since those are
not shared. Looking up a row's 65 rarest values among those of kept rows therefore misses nothing; and because what most
rollouts share (`cd`, `grep -rn`, the submit line) is what is never rare, a lookup finds few rows however many there
are. This is locality-sensitive hashing with bands of a single slot, of which a row takes part in its 65 most telling
ones; bands of several slots either miss pairs or meet a share of all rows (docs/decisions).
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt

from sera_swezero.dedup.minhash import Signatures
from sera_swezero.dedup.reference import SLOTS, THRESHOLD

EQUAL = int(SLOTS * THRESHOLD)
"""Equal slots that make two rows near-duplicates."""

_RAREST = SLOTS - EQUAL + 1
_SMALL = 256  # rows up to which comparing all pairs is faster than an index
_BLOCK = 4096  # rows whose rarest values are picked at a time


def kept(signatures: Signatures) -> npt.NDArray[np.bool_]:
    """Whether each row stays, first come, first kept: what `reference.kept` says of the same rows."""
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
    frequency = _frequency(signatures)
    index: defaultdict[int, list[int]] = defaultdict(list)
    for start in range(0, len(signatures), _BLOCK):
        block = np.asarray(signatures[start : start + _BLOCK])
        for offset, values in enumerate(_telling(block, frequency[start : start + _BLOCK])):
            near = {row for value in values if value in index for row in index[value]}
            if near and ((signatures[sorted(near)] == block[offset]).sum(axis=1) >= EQUAL).any():
                continue
            stay[start + offset] = True
            for value in values:
                index[value].append(start + offset)
    return stay


def _frequency(signatures: Signatures) -> npt.NDArray[np.uint8]:
    """In how many rows each row's value of each slot occurs; 255 stands for that many or more."""
    found = np.empty(signatures.shape, np.uint8)
    for slot in range(SLOTS):
        _, inverse, counts = np.unique(signatures[:, slot], return_inverse=True, return_counts=True)
        found[:, slot] = np.minimum(counts, 255)[inverse]
    return found


def _telling(block: Signatures, frequency: npt.NDArray[np.uint8]) -> list[list[int]]:
    """Each row's rarest values, as numbers that tell the slot too, without those that no other row has.

    Rarest first, then by slot: a strict order of all values, the same for every row, on which the proof above rests.
    """
    slots = np.arange(SLOTS)
    rarest = np.argpartition(frequency.astype(np.uint16) * SLOTS + slots, _RAREST - 1, axis=1)[:, :_RAREST]
    values = np.take_along_axis(block, rarest, axis=1).astype(np.int64) * SLOTS + rarest
    shared = np.take_along_axis(frequency, rarest, axis=1) > 1
    return [row[telling].tolist() for row, telling in zip(values, shared, strict=True)]
