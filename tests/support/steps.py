"""Steps as most of them are: one call or none."""

from __future__ import annotations

from msgspec.structs import replace

from sera_swezero.core.trajectory import Step, ToolCall


def step(reasoning: str, visible: str, call: ToolCall | None = None, back: str | None = None) -> Step:
    """A step; `back` is the observation of its call or, without a call, what the harness said."""
    if call is None:
        return Step(reasoning, visible, (), back)
    return Step(reasoning, visible, (replace(call, observation=back),))
