"""The token to push with, from wherever the hub's client finds one."""

from __future__ import annotations

import os

import huggingface_hub

from sera_swezero.errors import PublishError
from sera_swezero.push.patience import Patience, any_error, insist


def require_token(patience: Patience) -> None:
    """See that there is a token: of a trusted CI job (HF_OIDC_RESOURCE), HF_TOKEN, or the stored login.

    Raises:
        PublishError: there is none, or the CI job is not trusted.
    """
    resource = os.environ.get("HF_OIDC_RESOURCE")
    try:
        token = insist(huggingface_hub.get_token, "token", patience, passing=any_error if resource else None)
    except Exception as error:
        msg = f"no token for {resource}: {error}; is this workflow a trusted publisher of that repo?"
        raise PublishError(msg) from error
    if token is None:
        told = f" (HF_OIDC_RESOURCE={resource} needs huggingface_hub 1.19 or later)" if resource else ""
        msg = f"no token to push with{told}: set HF_TOKEN, run `hf auth login`, or in CI set HF_OIDC_RESOURCE"
        raise PublishError(msg)
