"""Contents of files, by hash: copied below the hub's folder, or served straight from where they lie."""

from __future__ import annotations

import contextlib
import hashlib
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.hub.messages import PIECE, Span

LFS_BYTES = 10_000_000
"""Files of at least so many bytes go to LFS whatever their name, as on the real hub (10 MB)."""
BY_PATH_BYTES = 8_000_000
"""Local files of at least so many bytes are served from where they lie instead of copied."""
STAND_IN_BYTES = 256 << 20
"""Local files of at least so many bytes are not hashed: path, size and time stand in, so that 5 GB cost nothing."""
LFS_SUFFIXES = re.compile(
    r"\.(7z|arrow|bin|bz2|ckpt|ftz|gz|h5|joblib|lz4|mp[34]|msgpack|np[yz]|onnx|parquet|pickle|pkl|png|pth?|rar"
    r"|safetensors|tar|tgz|tflite|wasm|wav|webp|xz|zip|zst)",
    re.IGNORECASE,
)


def is_lfs(path: str, size: int) -> bool:
    """Whether the hub keeps a file of this name and size (bytes) in LFS; empty files never are."""
    return size > 0 and (size >= LFS_BYTES or LFS_SUFFIXES.fullmatch(Path(path).suffix) is not None)


def blob_id(data: bytes) -> str:
    """The git object id of a regular file's bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@dataclass(frozen=True)
class Entry:
    """A file of a commit: size in bytes, git object id, sha256 for LFS files, and the commit that last changed it."""

    size: int
    oid: str
    sha256: str | None = None
    commit: str = ""

    @property
    def key(self) -> str:
        """The name of its bytes in `Objects`, and its entity tag."""
        return self.sha256 or self.oid


class Objects:
    """The bytes, each under the hash by which clients know them (sha256 of LFS files, git id of regular ones)."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    def span(self, key: str) -> Span | None:
        """Where the bytes lie, or None if the hub has none of that name."""
        path = self._root / key
        if not path.exists():
            link = self._root / f"{key}.path"
            if not link.exists():
                return None
            path = Path(link.read_text())
        return Span(path, 0, path.stat().st_size)

    def read(self, key: str) -> bytes:
        """All bytes of an object. Raises KeyError when there is none."""
        span = self.span(key)
        if span is None:
            raise KeyError(key)
        return b"".join(span.pieces())

    def put_pieces(self, sha256: str, pieces: Iterable[bytes]) -> None:
        """Store an LFS object. Raises ValueError, and keeps nothing, when the bytes have another hash."""

        def hashed() -> Iterator[bytes]:
            digest = hashlib.sha256()
            for piece in pieces:
                digest.update(piece)
                yield piece
            if digest.hexdigest() != sha256:
                raise ValueError(f"the bytes hash to {digest.hexdigest()}, not to {sha256}")

        self._keep(sha256, hashed())

    def _keep(self, key: str, pieces: Iterable[bytes]) -> None:
        """Write all pieces aside, then give them their name: no reader ever meets half an object."""
        with tempfile.NamedTemporaryFile(dir=self._root, prefix="part-") as file:
            file.writelines(pieces)
            file.flush()
            with contextlib.suppress(FileExistsError):
                (self._root / key).hardlink_to(file.name)

    def put(self, path: str, data: bytes) -> Entry:
        """Store the bytes of a file of that name, as LFS or regular."""
        if is_lfs(path, len(data)):
            sha256 = hashlib.sha256(data).hexdigest()
            self.put_pieces(sha256, [data])
            return self.lfs_entry(sha256, len(data))
        return self.put_regular(data)

    def put_regular(self, data: bytes) -> Entry:
        """Store the bytes of a file that is kept in git itself."""
        entry = Entry(len(data), blob_id(data))
        self._keep(entry.oid, [data])
        return entry

    def put_file(self, path: str, source: Path) -> Entry:
        """Store a local file: small ones copied, large ones by reference (and so must not change afterwards)."""
        size = source.stat().st_size
        if size < BY_PATH_BYTES:
            return self.put(path, source.read_bytes())
        source = source.resolve()
        if size >= STAND_IN_BYTES:
            sha256 = hashlib.sha256(f"{source} {size} {source.stat().st_mtime_ns}".encode()).hexdigest()
        else:
            digest = hashlib.sha256()
            with source.open("rb") as file:
                while piece := file.read(PIECE):
                    digest.update(piece)
            sha256 = digest.hexdigest()
        (self._root / f"{sha256}.path").write_text(str(source))
        return self.lfs_entry(sha256, size)

    @staticmethod
    def lfs_entry(sha256: str, size: int) -> Entry:
        """The entry of an LFS file; its git id is that of the pointer."""
        pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
        return Entry(size, blob_id(pointer.encode()), sha256)
