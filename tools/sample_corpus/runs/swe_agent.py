"""Plain SERA rows as the files that SWE-agent writes, and the oddities of these."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any

from tools.sample_corpus.edges import Table
from tools.sample_corpus.plan import Message, Plan
from tools.sample_corpus.scene import Scene
from tools.sample_corpus.sera import raw
from tools.sample_corpus.sets import Size

EDGES = Table()
edge = EDGES.edge

SMALL = Size(2_500, 3, 2)
"""The runs of the shipped corpus."""


def file(plan: Plan, rng: Random) -> dict[str, Any]:
    """The run as a file."""
    history = raw.history(plan, rng)
    run = {
        "environment": "swe_main",
        "trajectory": [],
        "history": history,
        "info": {
            "swe_agent_version": "1.1.0",
            "exit_status": "submitted",
            "submission": plan.columns["rollout_patch"],
            "model_stats": {"api_calls": len(_turns(history))},
        },
        "replay_config": json.dumps({"agent": {"model": {"name": "made-up-7b"}}}),
    }
    if plan.edit_row:
        plan.edit_row(run)
    return run


def _turns(history: list[Message]) -> list[Message]:
    return [message for message in history if message["role"] == "assistant"]


def _edit(change: Callable[[list[Message]], None]) -> Callable[[dict[str, Any]], None]:
    return lambda run: change(run["history"])


@edge(own_swe_agent=1)
def text_parser(scene: Scene, plan: Plan) -> None:
    """A text parser found the lines to run: there are no tool calls."""

    def change(history: list[Message]) -> None:
        for message in history[2:]:
            if message["role"] == "assistant":
                message["content"] = f"{message['thought']}\n```\n{message['action']}\n```"
                del message["tool_calls"]
            else:
                message["role"] = "user"
                message.pop("tool_call_ids", None)

    plan.edit_row = _edit(change)


@edge(own_swe_agent=1)
def demonstration(scene: Scene, plan: Plan) -> None:
    """A demonstration stands between the system message and the task."""
    text = f"Here is how another task was done:\n{scene.prose(90)}"
    shown = {"role": "user", "content": text, "agent": "main", "is_demo": True, "message_type": "demonstration"}
    plan.edit_row = _edit(lambda history: history.insert(1, shown))


@edge(own_swe_agent=1)
def other_agent(scene: Scene, plan: Plan) -> None:
    """A reviewer's messages follow those of the run."""
    asked = {"role": "user", "content": "Is this a good patch?", "agent": "reviewer", "message_type": "observation"}
    said = {"role": "assistant", "content": scene.prose(90), "agent": "reviewer", "message_type": "action"}
    plan.edit_row = _edit(lambda history: history.extend([asked, said]))


@edge(own_swe_agent=1)
def attempts(scene: Scene, plan: Plan) -> None:
    """A retrying agent tried twice; the attempt that it chose is repeated at the top."""

    def edit(run: dict[str, Any]) -> None:
        chosen = {name: run[name] for name in ("history", "trajectory", "info", "environment")}
        failed = copy.deepcopy(chosen)
        failed["history"] = failed["history"][:4]
        failed["info"].update(exit_status="exit_format", submission=None)
        run["attempts"] = [failed, chosen]

    plan.edit_row = edit


@edge(own_swe_agent=1)
def calls_as_python(scene: Scene, plan: Plan) -> None:
    """The calls are a string of Python."""

    def change(history: list[Message]) -> None:
        for turn in _turns(history):
            turn["tool_calls"] = str(turn["tool_calls"])

    plan.edit_row = _edit(change)


@edge(own_swe_agent=1)
def parallel_calls(scene: Scene, plan: Plan) -> None:
    """Two calls in one turn, and both observations behind it."""

    def change(history: list[Message]) -> None:
        first, observed, second = history[2:5]
        first["tool_calls"] += second["tool_calls"]
        first["action"] += f"\n{second['action']}"
        history[2:5] = [first, observed]

    plan.edit_row = _edit(change)


@edge(own_swe_agent=1)
def cost_limit(scene: Scene, plan: Plan) -> None:
    """The harness submitted what there was at the cost limit."""
    words = "Exit due to cost limit"

    def edit(run: dict[str, Any]) -> None:
        leaving = {**run["history"][4], "content": words, "thought": words, "action": "", "tool_calls": None}
        run["history"][4:] = [leaving]
        run["info"]["exit_status"] = "submitted (exit_cost)"

    plan.edit_row = edit


@edge(own_swe_agent=1)
def submission_in_trajectory(scene: Scene, plan: Plan) -> None:
    """The history ends before the submission, which is in `trajectory`."""

    def edit(run: dict[str, Any]) -> None:
        said, observed = run["history"][-2:]
        step = {name: said[name] for name in ("thought", "action")}
        step.update(response=said["content"], observation=observed["content"][0]["text"])
        run["trajectory"] = [step]
        del run["history"][-6:]

    plan.edit_row = edit


@edge(own_swe_agent=1)
def nothing_happened(scene: Scene, plan: Plan) -> None:
    """The run ended before it began, and holds no messages: rejected."""

    def edit(run: dict[str, Any]) -> None:
        run["history"] = []
        run["info"].update(exit_status="exit_environment_error", submission=None)

    plan.edit_row = edit
