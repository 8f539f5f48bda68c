"""What a push says of an error that ended it."""

from __future__ import annotations

from huggingface_hub import constants

from sera_swezero.hub.retry import is_transient, status_of
from sera_swezero.hub.session import REFUSAL


def failure(repo: str, stage: str, error: Exception) -> str:
    """One line: the repository, what readers see now (`stage`), and what went wrong."""
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
