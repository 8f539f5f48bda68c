"""What a push did."""

from __future__ import annotations

from dataclasses import dataclass, field


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
    """Bytes of each file that was sent (of a dry run: would be), by path."""
    deleted: tuple[str, ...] = ()
    """The files that were deleted (of a dry run: would be)."""
