"""Who somebody is, and how a CI job without a stored token gets one."""

from __future__ import annotations

from tests.hub.messages import Answer, Ask, RefusalError, Route, as_json
from tests.hub.site import USER, Site

ID_TOKEN = "loopback-id-token"
"""The identity token of the one CI job that this hub trusts."""


def whoami(site: Site, ask: Ask) -> Answer:
    """The user behind the token."""
    who = site.identity(ask)
    if who is None:
        raise RefusalError(401, message="Invalid username or password.")
    token = {"displayName": "loopback", "role": who.role, "createdAt": "2024-01-01T00:00:00.000Z"}
    body = {"type": "user", "id": "0" * 24, "name": USER, "fullname": USER, "isPro": False, "orgs": []}
    return as_json(body | {"auth": {"type": "access_token", "accessToken": token}})


def mint_id_token(site: Site, ask: Ask) -> Answer:
    """What a CI service answers when a job asks for its identity token."""
    return as_json({"value": ID_TOKEN})


def exchange_token(site: Site, ask: Ask) -> Answer:
    """An hour's write token for one repo, in exchange for the identity token of a CI job (RFC 8693)."""
    body = ask.json()
    if not body.get("grant_type", "").endswith(":token-exchange") or body.get("subject_token") != ID_TOKEN:
        raise RefusalError(400, message="invalid_grant")
    name = body.get("resource", "").removeprefix("datasets/")
    if name not in site.store.repos:
        raise RefusalError(400, message=f"invalid_target: no repo {name} trusts this publisher")
    token = site.repo_token(name)
    return as_json({"access_token": token, "token_type": "bearer", "expires_in": 3600})


ROUTES = [
    Route("GET", r"/api/whoami-v2", whoami),
    Route("GET", r"/ci/id-token", mint_id_token),
    Route("POST", r"/oauth/token", exchange_token),
]
