"""The folder of a build: it holds nobody else's files, and only one build at a time works in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from sera_swezero.build import manifest
from sera_swezero.build.manifest import CARD, Manifest
from sera_swezero.build.unit_files import STATE, sweep
from sera_swezero.errors import BuildError, PublishError


def read(out: Path) -> Manifest | None:
    """The manifest of what was built into `out` before; None if nothing was built, or if no build was finished.

    Raises:
        PublishError: `out` holds somebody else's files. Hidden files do no harm, and a folder that was built into may
            hold any file except a card that no build wrote.
    """
    before = manifest.read(out)
    if before is None and out.is_dir():
        found = sorted(path.name for path in out.iterdir() if not path.name.startswith("."))
        foreign = [name for name in found if name == CARD or not (out / STATE).is_dir()]
        if foreign:
            msg = (
                f"{out} holds {', '.join(foreign[:5])}, which no build of this program wrote; "
                "an empty or new folder was expected"
            )
            raise PublishError(msg)
    return before


@contextmanager
def claim(out: Path) -> Iterator[Manifest | None]:
    """Keep other builds out of the folder while the block runs, and give the block what `read` returns.

    Two builds at once would each remove files that only the manifest of the other one lists. The claim ends with the
    process, even if that is killed.

    Raises:
        PublishError: as `read`. BuildError: another build has claimed the folder.
    """
    read(out)  # before anything is written into it
    lock = FileLock(out / STATE / "lock", timeout=0)
    (out / STATE).mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire()
    except Timeout:
        msg = f"another build into {out} is running; wait for its end, or build into another folder"
        raise BuildError(msg) from None
    try:
        yield read(out)
    finally:
        sweep(out, {os.getpid()})  # an interrupt may have come while a unit removed its own scratch
        lock.release()
