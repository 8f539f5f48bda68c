"""The xet store on disk: xorbs as they were sent, files as lists of terms, and an index for deduplication."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.hub import shard, xorb
from tests.hub.objects import Objects
from tests.hub.shard import File, Term


class XetStore:
    """What the content-addressed store knows. Chunks are offered for deduplication once their shard is registered."""

    def __init__(self, root: Path, objects: Objects) -> None:
        self._objects = objects
        self._xorbs, self._shards = root / "xorbs", root / "shards"
        self._lock = threading.Lock()
        self._files: dict[str, File] = {}
        self._by_sha256: dict[str, str] = {}
        self._by_chunk: dict[str, Path] = {}
        for folder in (self._xorbs, self._shards):
            folder.mkdir(parents=True, exist_ok=True)

    def file_hash(self, sha256: str | None) -> str | None:
        """The xet hash of a file that came by xet, else None."""
        return self._by_sha256.get(sha256 or "")

    def xorb_path(self, xorb_hash: str) -> Path | None:
        """Where a xorb lies, or None."""
        path = self._xorbs / xorb_hash
        return path if path.exists() else None

    def add_xorb(self, xorb_hash: str, data: bytes) -> bool:
        """Store a xorb; returns whether it is new. Raises ValueError when it is not whole."""
        xorb.table(data)
        path = self._xorbs / xorb_hash
        with self._lock:
            if path.exists():
                return False
            partial = path.with_suffix(".part")
            partial.write_bytes(data)
            partial.replace(path)
        return True

    def add_shard(self, data: bytes) -> None:
        """Register a shard: put its files together from their chunks, so that they can be read without xet too.

        Raises ValueError when it is not a shard, names a xorb that never came, or a file turns out to have another
        sha256 than the shard says.
        """
        files, xorbs = shard.parse(data)
        for one in xorbs:
            if self.xorb_path(one.hash) is None:
                raise ValueError(f"xorb {one.hash} was not uploaded")
        for file in files:
            if file.sha256 is None:
                raise ValueError(f"file {file.hash} comes without its sha256")
            self._objects.put_pieces(file.sha256, self._content(file.terms))
        with self._lock:
            path = self._shards / hashlib.sha256(data).hexdigest()
            path.write_bytes(data)
            for one in xorbs:
                self._by_chunk |= dict.fromkeys(one.chunks, path)
            for file in files:
                self._files[file.hash] = file
                self._by_sha256[str(file.sha256)] = file.hash

    def _content(self, terms: list[Term]) -> Iterator[bytes]:
        for term in terms:
            path = self.xorb_path(term.xorb)
            if path is None:
                raise ValueError(f"xorb {term.xorb} was not uploaded")
            chunks = xorb.stored_table(path)[term.start : term.stop]
            if len(chunks) != term.stop - term.start or sum(chunk.length for chunk in chunks) != term.length:
                raise ValueError(f"xorb {term.xorb} has no chunks {term.start} to {term.stop} of that length")
            with path.open("rb") as file:
                file.seek(chunks[0].start)
                for chunk in chunks:
                    yield xorb.unpack(file.read(chunk.stop - chunk.start), chunk)

    def file(self, file_hash: str) -> File | None:
        """A file by its xet hash."""
        return self._files.get(file_hash)

    def shard_for(self, chunk_hash: str) -> bytes | None:
        """A shard about the xorbs that came together with a chunk, for clients to deduplicate against."""
        path = self._by_chunk.get(chunk_hash)
        return shard.build(shard.parse(path.read_bytes())[1]) if path else None
