"""What a push refuses before it begins: the made-up sample, your own runs without a licence or with secrets, no token.

Rows of the catalog's sets are public already, so they are not searched for secrets.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub
import pyarrow.parquet as pq

from sera_swezero.build import manifest
from sera_swezero.build.manifest import BuiltConfig, Manifest
from sera_swezero.build.secret_scan import SecretScanner
from sera_swezero.errors import ConfigError, PublishError
from sera_swezero.hub.background import SILENCE, within
from sera_swezero.hub.listing import endpoint_is_local
from sera_swezero.hub.retry import RetryPolicy, is_transient, with_retries

_NAMED = 5  # secrets named in an error
_BATCH = 32  # rows that are Python objects at a time


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
    """Refuse to publish your own runs without a licence: nobody could use them. Raises PublishError."""
    names = [name for name, built in local.configs.items() if built.card is not None and not built.card.license]
    if names:
        msg = (
            f"{folder}: no licence was given for {', '.join(names)}; build again with --license ID, such as mit or "
            "cc-by-4.0: what is built stays, and only manifest and card are written anew"
        )
        raise PublishError(msg)


def refuse(folder: Path, local: Manifest, *, allow_sample: bool, allow_secrets: bool) -> None:
    """Refuse what is not to be published. Raises PublishError, which says what was refused and what to do."""
    refuse_unlicensed(folder, local)
    if not allow_sample:
        refuse_made_up(folder, local)
    if not allow_secrets:
        refuse_secrets(folder, local)


def require_token(policy: RetryPolicy) -> None:
    """Make sure that there is a token: that of a trusted CI job (HF_OIDC_RESOURCE), HF_TOKEN, or the stored login.

    Raises:
        PublishError: there is none, or the CI job is not trusted.
    """
    resource = os.environ.get("HF_OIDC_RESOURCE")

    # The client hides the transport's error behind one of its own. Asking again for the token of a CI job is harmless.
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


def refuse_secrets(folder: Path, local: Manifest) -> None:
    """Refuse to publish your own runs with keys or tokens in them, rejected records included.

    Raises:
        PublishError: there are some, named by file, row and kind; or the extra `secrets` is not installed.
    """
    own = [built for built in local.configs.values() if built.card is not None]
    if not own:
        return
    try:
        found = list(_secrets(folder, own, SecretScanner()))
    except ConfigError as error:
        msg = f"{error}; or give --allow-secrets"
        raise PublishError(msg) from error
    if found:
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        msg = (
            f"{folder} holds secrets: {'; '.join(found[:_NAMED])}{more}. Build again with --redact, "
            "or give --allow-secrets if they open nothing"
        )
        raise PublishError(msg)


def _secrets(folder: Path, own: list[BuiltConfig], scanner: SecretScanner) -> Iterator[str]:
    """Where each secret is and of which kind, but never the secret itself."""
    for built in (file for config in own for file in config.files):
        if not (folder / built.path).is_file():
            continue  # planning the push will say so
        with pq.ParquetFile(folder / built.path) as file:
            rows = (row for batch in file.iter_batches(batch_size=_BATCH) for row in batch.to_pylist())
            for number, row in enumerate(rows):
                for name, value in row.items():
                    yield from (f"{built.path}, row {number}, {name}: {kind}" for kind in scanner.kinds(value))
