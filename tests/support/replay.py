"""A Trajectory as events again: `fold(replay(t)) == t` for every t that `fold` can make."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from sera_swezero.core.events import Called, Ended, Event, Observed, Replied, Said, System, Task
from sera_swezero.core.trajectory import Trajectory


def replay(trajectory: Trajectory) -> Iterator[Event]:
    if trajectory.system is not None:
        yield System(trajectory.system)
    if trajectory.task is not None:
        yield Task(trajectory.task)
    for step in trajectory.steps:
        yield Said(step.reasoning, step.visible)
        for call in step.calls:
            yield Called(replace(call, observation=None))
        for call in step.calls:
            if call.observation is not None:
                yield Observed(call.observation, call.id)
        if step.reply is not None:
            yield Replied(step.reply)
    yield Ended(trajectory.outcome)
