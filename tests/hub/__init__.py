"""A Hugging Face hub for tests, on loopback: what real clients read from and push to, with faults on order."""

from __future__ import annotations

from tests.hub.loopback import LoopbackHub

__all__ = ["LoopbackHub"]
