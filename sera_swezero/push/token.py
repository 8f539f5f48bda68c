"""The token to push with, from wherever the hub's client finds one."""

from __future__ import annotations

import os

import huggingface_hub

from sera_swezero.errors import PublishError
from sera_swezero.hub.background import SILENCE, within
from sera_swezero.hub.retry import RetryPolicy, is_transient, with_retries


def require_token(policy: RetryPolicy) -> None:
    """See that there is a token: of a trusted CI job (HF_OIDC_RESOURCE), HF_TOKEN, or the stored login.

    Raises:
        PublishError: there is none, or the CI job is not trusted.
    """
    resource = os.environ.get("HF_OIDC_RESOURCE")

    # Getting a token for a CI job changes nothing, and hides the transport's error behind one of its own.
    def retry_on(error: BaseException) -> bool:
        return is_transient(error) or (bool(resource) and isinstance(error, Exception))

    try:
        token = with_retries(lambda: within(SILENCE, huggingface_hub.get_token), "token", policy, retry_on=retry_on)
    except Exception as error:
        msg = f"no token for {resource}: {error}; is this workflow a trusted publisher of that repo?"
        raise PublishError(msg) from error
    if token is None:
        hint = f" (HF_OIDC_RESOURCE={resource} needs huggingface_hub 1.19 or later)" if resource else ""
        msg = f"no token to push with{hint}: set HF_TOKEN, run `hf auth login`, or in CI set HF_OIDC_RESOURCE"
        raise PublishError(msg)
