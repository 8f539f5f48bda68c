"""A Hugging Face hub for tests, on loopback: what real clients read from and push to, with faults on order."""

from __future__ import annotations

from tests.hub.faults import Fault, Faults
from tests.hub.log import Request
from tests.hub.loopback import LoopbackHub
from tests.hub.objects import Entry
from tests.hub.store import Commit, PullRequest

__all__ = ["Commit", "Entry", "Fault", "Faults", "LoopbackHub", "PullRequest", "Request"]
