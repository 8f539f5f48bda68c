"""A turn of the model as one text with tags, the form that Hermes-style models write and text-only trainers take.

    <think>
    reasoning
    </think>

    visible text
    <tool_call>
    {"name": "bash", "arguments": {"command": "ls"}}
    </tool_call>

Each of the three parts is there only if the turn has it. A turn with several calls has one block per call or, where
`one_block` says so, one block with a JSON list of them. Line breaks are those of Qwen's own templates, so that a
rendered turn has the tokens that the model will write. `write_turn` and `read_turn` are each other's inverse for
words that `check_words` lets pass.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import zip_longest

import msgspec
from msgspec.structs import replace

from sera_swezero.core.text import END_THINK, THINK
from sera_swezero.core.trajectory import Step, ToolCall, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.views.text_marks import Marks

CALL, END_CALL = "<tool_call>", "</tool_call>"
RESULT, END_RESULT = "<tool_response>\n", "\n</tool_response>"
DIVIDER = END_RESULT + "\n" + RESULT
"""What stands between two observations of one turn."""
OWN_TAGS = (THINK, END_THINK, CALL)
"""Tags that the model's own words must not hold: clients split at them wherever they are (Qwen's templates at every
think tag, LLaMA-Factory and the Hermes parsers of inference engines at the first tag of a call)."""


class _Call(msgspec.Struct):
    name: str
    arguments: msgspec.Raw


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Call).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def check_words(trajectory: Trajectory) -> None:
    """Refuse a rollout that a reader of its tagged text would misunderstand.

    Raises:
        RowError: reason `literal_tags`: the model's own words hold one of `OWN_TAGS`.
    """
    for index, step in enumerate(trajectory.steps):
        reasoning, visible, calls = step.reasoning, step.visible, step.calls
        if "<" in reasoning or "<" in visible:  # most words have none, and one character is found at once
            tags = [tag for tag in OWN_TAGS if tag in reasoning or tag in visible]
            if tags:
                problem = f"the model's words hold {', '.join(tags)}, which a reader of the text takes for its own tag"
                raise RowError("literal_tags", problem, f"$.steps[{index}]")
        if calls[1:] and any(DIVIDER in (call.observation or "") for call in calls):
            problem = "one of several observations holds the tags that divide them"
            raise RowError("literal_tags", problem, f"$.steps[{index}].calls")


def write_turn(step: Step, *, one_block: bool = False) -> str:
    """The step's turn as text."""
    visible, calls = step.visible, step.calls
    text = f"{THINK}\n{step.reasoning}\n{END_THINK}" if step.reasoning else ""
    if visible:
        text = f"{text}\n\n{visible}" if text else visible
    if not calls:
        return text
    gap = "\n" if visible else "\n\n" if text else ""
    if not calls[1:]:
        return f"{text}{gap}{CALL}\n{_call_text(calls[0])}\n{END_CALL}"
    texts = [_call_text(call) for call in calls]
    called = f"[{', '.join(texts)}]" if one_block else f"\n{END_CALL}\n{CALL}\n".join(texts)
    return f"{text}{gap}{CALL}\n{called}\n{END_CALL}"


def read_turn(text: str) -> Step:
    """The step that `write_turn` wrote, without observations."""
    blocks: list[str] = []
    while text.endswith(f"\n{END_CALL}") and f"{CALL}\n" in text:
        head, _, body = text.rpartition(f"{CALL}\n")
        blocks.insert(0, body.removesuffix(f"\n{END_CALL}"))
        text = head.removesuffix("\n")
    calls = tuple(call for block in blocks for call in _read_calls(block))
    if not text.startswith(f"{THINK}\n"):
        return Step("", text, calls)
    reasoning, _, rest = text.removeprefix(f"{THINK}\n").partition(f"\n{END_THINK}")
    return Step(reasoning, rest.removeprefix("\n\n" if len(rest) > 1 else "\n"), calls)


def mark_turn(text: str, marks: Marks) -> str:
    """A turn that `write_turn` wrote, with its reasoning, visible text and calls between marks."""
    step = read_turn(text)
    reasoning, visible = marks.mark(step.reasoning, "reasoning"), marks.mark(step.visible, "answers")
    calls = []
    for call in step.calls:
        marks.group("calls")
        arguments = json.dumps(marks.values(json.loads(call.arguments)), ensure_ascii=False)
        calls.append(replace(call, name=marks.mark(call.name), arguments=arguments))
    return write_turn(Step(reasoning, visible, tuple(calls)), one_block=f"{CALL}\n[" in text)


def read_call(text: str) -> ToolCall:
    """The call that a JSON object of a name and arguments describes."""
    call = _decode(text)
    return ToolCall(call.name, bytes(call.arguments).decode())


def _read_calls(text: str) -> list[ToolCall]:
    """The calls of one block: an object, or a list of them."""
    found = [bytes(call) for call in _decode_list(text)] if text.startswith("[") else [text.encode()]
    return [read_call(call.decode()) for call in found]


def observations(step: Step) -> list[str]:
    """The observations that a step has, in the order of its calls."""
    return [call.observation for call in step.calls if call.observation is not None]


def with_observations(step: Step, texts: Sequence[str]) -> Step:
    """The step with observations for its first calls."""
    calls = [replace(call, observation=text) for call, text in zip_longest(step.calls, texts) if call is not None]
    return replace(step, calls=tuple(calls))


def write_results(texts: Sequence[str]) -> str:
    """The observations of a turn as a user message."""
    return f"{RESULT}{DIVIDER.join(texts)}{END_RESULT}"


def read_results(text: str, calls: int) -> list[str]:
    """The observations that `write_results` wrote after a turn with that many calls."""
    return divided(text.removeprefix(RESULT).removesuffix(END_RESULT), calls)


def divided(text: str, calls: int) -> list[str]:
    """The observations in a text; one call has all of it, whatever it holds."""
    return text.split(DIVIDER) if calls > 1 else [text]


def _call_text(call: ToolCall) -> str:
    r"""The call as JSON: the model's own arguments, with closing tags escaped as `<\/`, which is the same JSON value.

    Readers look for the first closing tag after the opening one, so one inside a string would cut the call short.
    """
    arguments = call.arguments
    if "<" in arguments:
        arguments = arguments.replace(END_CALL, r"<\/tool_call>").replace(END_THINK, r"<\/think>")
    name = '"bash"' if call.name == "bash" else _encode(call.name).decode()
    return f'{{"name": {name}, "arguments": {arguments}}}'
