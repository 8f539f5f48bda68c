"""A Trajectory as events again: `fold(replay(t)) == t` for every t that `fold` can make."""

from __future__ import annotations

from collections.abc import Iterator

from sera_swezero.core.trajectory import Called, Ended, Event, Observed, Said, System, Task, Trajectory


def replay(trajectory: Trajectory) -> Iterator[Event]:
    if trajectory.system is not None:
        yield System(trajectory.system)
    if trajectory.task is not None:
        yield Task(trajectory.task)
    for step in trajectory.steps:
        yield Said(step.reasoning, step.visible)
        if step.call is not None:
            yield Called(step.call)
        if step.observation is not None:
            yield Observed(step.observation, step.call.id if step.call else None)
    yield Ended(trajectory.outcome)
