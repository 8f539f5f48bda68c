"""The folder of a build, which holds nothing that a build would overwrite and that is not this program's."""

from __future__ import annotations

from pathlib import Path

from sera_swezero.build import manifest
from sera_swezero.build.manifest import CARD, Manifest
from sera_swezero.build.unit_files import STATE
from sera_swezero.errors import PublishError


def read(out: Path) -> Manifest | None:
    """The manifest of what was built into `out` before; None if nothing was, or if no build came to its end.

    Raises:
        PublishError: `out` holds somebody else's files. Hidden ones do no harm, and a folder that was built into may
            hold any file but a card that no build wrote.
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
