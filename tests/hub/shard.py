"""The shard format of xet: which chunks make up which files, and which chunks lie in which xorbs.

A shard is a header, the files, the xorbs, and (only on its way to a client) lookup tables and a footer. Everything is
little-endian in records of 48 bytes; a record whose hash is all ones ends a section. Described at
https://huggingface.co/docs/xet/shard and in the source of xet-core (metadata_shard).
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

TAG = b"HFRepoMetaData\x00" + bytes([85, 105, 103, 69, 106, 123, 129, 87, 131, 165, 189, 217, 92, 205, 209, 74, 169])
RECORD = 48
FOOTER = 200
END = b"\xff" * 32 + bytes(16)
WITH_VERIFICATION, WITH_SHA256 = 1 << 31, 1 << 30


@dataclass(frozen=True)
class Term:
    """A run of chunks `start`..`stop` (exclusive) of a xorb, and its length in bytes once unpacked."""

    xorb: str
    start: int
    stop: int
    length: int


@dataclass(frozen=True)
class File:
    """A file: its xet hash, its sha256 if the client sent it, and its content in terms."""

    hash: str
    sha256: str | None
    terms: list[Term]


@dataclass(frozen=True)
class Xorb:
    """A xorb as a shard lists it: its record and those of its chunks, unread, and the hashes of the chunks."""

    hash: str
    raw: bytes
    chunks: list[str] = field(default_factory=list)


def text(raw: bytes) -> str:
    """A hash as xet writes it in text: four 64-bit numbers in hexadecimal."""
    return "".join(f"{number:016x}" for number in struct.unpack("<4Q", raw))


def parse(data: bytes) -> tuple[list[File], list[Xorb]]:
    """The files and xorbs of a shard. Raises ValueError when it is none."""
    if data[:32] != TAG:
        raise ValueError("not a shard: wrong magic number")
    records = (data[at : at + RECORD] for at in range(RECORD, len(data) - RECORD + 1, RECORD))
    try:
        return list(_files(records)), list(_xorbs(records))
    except RuntimeError as problem:  # what a generator makes of a StopIteration inside it
        raise ValueError("the shard ends in the middle of a section") from problem


def _files(records: Iterator[bytes]) -> Iterator[File]:
    while (head := next(records)) != END:
        flags, count = struct.unpack_from("<II", head, 32)
        terms = []
        for _ in range(count):
            record = next(records)
            _, length, start, stop = struct.unpack_from("<4I", record, 32)
            terms.append(Term(text(record[:32]), start, stop, length))
        for _ in range(count if flags & WITH_VERIFICATION else 0):
            next(records)
        sha256 = text(next(records)[:32]) if flags & WITH_SHA256 else None
        yield File(text(head[:32]), sha256, terms)


def _xorbs(records: Iterator[bytes]) -> Iterator[Xorb]:
    while (head := next(records)) != END:
        (count,) = struct.unpack_from("<I", head, 36)
        chunks = [next(records) for _ in range(count)]
        yield Xorb(text(head[:32]), head + b"".join(chunks), [text(chunk[:32]) for chunk in chunks])


def build(xorbs: Iterable[Xorb], valid_for: int = 3600) -> bytes:
    """A shard that shows a client which chunks of these xorbs it need not send; valid for so many seconds."""
    ordered = sorted(xorbs, key=lambda xorb: xorb.hash)
    body, places, lookup, index = b"", b"", [], 0
    for xorb in ordered:
        places += struct.pack("<QI", _short(xorb.hash), index)
        lookup += [(_short(chunk), index, number) for number, chunk in enumerate(xorb.chunks)]
        body += xorb.raw
        index += 1 + len(xorb.chunks)
    table = b"".join(struct.pack("<QII", *place) for place in sorted(lookup))
    head = TAG + struct.pack("<QQ", 2, FOOTER) + END
    at_files, at_xorbs = RECORD, len(head)
    at_places = at_xorbs + len(body) + RECORD
    at_table = at_places + len(places)
    at_footer = at_table + len(table)
    now = int(time.time())
    footer = struct.pack(
        "<9Q", 1, at_files, at_xorbs, at_places, 0, at_places, len(ordered), at_table, len(lookup)
    ) + struct.pack("<32x2Q48x24xQ", now, now + valid_for, at_footer)
    return head + body + END + places + table + footer


def _short(text_hash: str) -> int:
    return int(text_hash[:16], 16)
