"""The xorb format of xet: chunks one after another, each with a header of eight bytes and perhaps compressed.

Described at https://huggingface.co/docs/xet/xorb: version, compressed length (3 bytes), scheme, length (3 bytes).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

HEADER = 8
_FOOTER = b"XETBLOB"
_PLAIN, _LZ4, _GROUPED_LZ4 = 0, 1, 2


@dataclass(frozen=True)
class Chunk:
    """Where a chunk lies in its xorb: `start`..`stop` in bytes, header included; `length` is that of its content."""

    start: int
    stop: int
    scheme: int
    length: int


def table(data: bytes) -> list[Chunk]:
    """The chunks of a xorb. Raises ValueError when it is not whole."""
    chunks, at = [], 0
    while at < len(data) and data[at : at + len(_FOOTER)] != _FOOTER:
        packed = int.from_bytes(data[at + 1 : at + 4], "little")
        chunk = Chunk(at, at + HEADER + packed, data[at + 4], int.from_bytes(data[at + 5 : at + 8], "little"))
        if chunk.stop > len(data) or data[at] != 0 or chunk.scheme > _GROUPED_LZ4:
            raise ValueError(f"no chunk of a xorb at byte {at}")
        chunks.append(chunk)
        at = chunk.stop
    if not chunks:
        raise ValueError("a xorb without chunks")
    return chunks


@lru_cache(maxsize=64)
def stored_table(path: Path) -> list[Chunk]:
    """The chunks of a stored xorb, which never changes."""
    return table(path.read_bytes())


def unpack(raw: bytes, chunk: Chunk) -> bytes:
    """The content of a chunk, from its bytes in the xorb, header included."""
    packed = raw[HEADER:]
    if chunk.scheme == _PLAIN:
        return packed
    import pyarrow as pa

    plain = pa.Codec("lz4").decompress(packed, decompressed_size=chunk.length, asbytes=True)
    return _regrouped(plain) if chunk.scheme == _GROUPED_LZ4 else bytes(plain)


def _regrouped(grouped: bytes) -> bytes:
    """Undo the grouping of every fourth byte."""
    plain, at = bytearray(len(grouped)), 0
    for offset in range(4):
        count = len(range(offset, len(grouped), 4))
        plain[offset::4] = grouped[at : at + count]
        at += count
    return bytes(plain)
