"""What is not published: the made-up sample, and runs of one's own without a licence."""

from __future__ import annotations

from pathlib import Path

from sera_swezero.build import manifest
from sera_swezero.build.manifest import Manifest
from sera_swezero.errors import PublishError
from sera_swezero.hub.listing import endpoint_is_local


def refuse_made_up(folder: Path, local: Manifest) -> None:
    """Refuse to publish the made-up sample, unless the hub is on this machine. Raises PublishError."""
    names = manifest.made_up(local)
    if names and not endpoint_is_local():
        msg = (
            f"{folder}: the rows of {', '.join(names)} are the made-up sample, not data of upstream; build again "
            "without --upstream sample, or give --allow-sample"
        )
        raise PublishError(msg)


def refuse_unlicensed(folder: Path, local: Manifest) -> None:
    """Refuse to publish runs of one's own without a licence: nobody could use them. Raises PublishError."""
    names = [name for name, built in local.configs.items() if built.card is not None and not built.card.license]
    if names:
        msg = (
            f"{folder}: nobody said the licence of {', '.join(names)}; build again with --license ID, such as mit or "
            "cc-by-4.0: what is built stays, only manifest and card are written anew"
        )
        raise PublishError(msg)


def refuse(folder: Path, local: Manifest, *, allow_sample: bool) -> None:
    """Refuse what is not to be published. Raises PublishError, which says what was refused and what to do."""
    refuse_unlicensed(folder, local)
    if not allow_sample:
        refuse_made_up(folder, local)
