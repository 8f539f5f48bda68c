"""A Hugging Face hub for tests, on loopback: what real clients read from and push to, with faults on order."""

from __future__ import annotations

from tests.hub.faults import Fault, Faults
from tests.hub.log import Request
from tests.hub.server import LoopbackHub
from tests.hub.store import Commit, PullRequest

__all__ = ["Commit", "Fault", "Faults", "LoopbackHub", "PullRequest", "Request"]
