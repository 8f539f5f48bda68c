"""How a push ended: what it did, or why it failed."""

from __future__ import annotations

from dataclasses import dataclass, field

from huggingface_hub import constants

from sera_swezero.hub.retry import is_transient, status_of
from sera_swezero.hub.session import REFUSAL


@dataclass(frozen=True)
class PushResult:
    """What a push did."""

    repo: str
    """The id of the repo."""
    done: str
    """"published", "unchanged" (the repo holds this version), "planned" (a dry run), "proposed" (a pull request)."""
    digest: str
    """The digest of the new version's manifest."""
    commit: str = ""
    """Main's commit that holds the version; "" unless published or unchanged."""
    pull: int | None = None
    """The number of the pull request."""
    tag: str | None = None
    """The tag that was asked for."""
    sent: dict[str, int] = field(default_factory=dict)
    """The bytes of each file that was sent, by path; after a dry run of each file that would be sent."""
    deleted: tuple[str, ...] = ()
    """The files that were deleted; after a dry run those that would be deleted."""


def failure(repo: str, stage: str, error: Exception) -> str:
    """Describe the error that ended a push on one line: the repository, what readers see now (`stage`), the error."""
    code = status_of(error)
    hints = {
        401: REFUSAL,
        403: "the token may not write here: it needs write access to this repo",
        404: "no such repo, or the token has no access",
    }
    if code in hints:
        return f"{repo}: {stage}: {hints[code]}"
    silent = f"the hub at {constants.ENDPOINT} did not answer" if is_transient(error) else "the push failed"
    why = "the hub did not take it" if code else silent
    return f"{repo}: {stage}: {why}: {type(error).__name__}: {error}"
