"""A turn of the model as one text with tags, the form that Hermes-style models write and text-only trainers take.

    <think>
    reasoning
    </think>

    visible text
    <tool_call>
    {"name": "bash", "arguments": {"command": "ls"}}
    </tool_call>

Each of the three parts is there only if the turn has it. Line breaks are those of Qwen's own templates, so that a
rendered turn has the tokens that the model will write. `write_turn` and `read_turn` are each other's inverse for
words that `check_words` lets pass.
"""

from __future__ import annotations

import json

import msgspec

from sera_swezero.core.text import END_THINK, THINK
from sera_swezero.core.trajectory import Step, ToolCall, Trajectory
from sera_swezero.errors import RowError
from sera_swezero.views.view import TextMarks

CALL, END_CALL = "<tool_call>", "</tool_call>"
RESULT, END_RESULT = "<tool_response>\n", "\n</tool_response>"
OWN_TAGS = (THINK, END_THINK, CALL)
"""Tags that the model's own words must not hold: clients split at them wherever they are (Qwen's templates at every
think tag, LLaMA-Factory and the Hermes parsers of inference engines at the first tag of a call)."""


class _Call(msgspec.Struct):
    name: str
    arguments: msgspec.Raw


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Call).decode


def check_words(trajectory: Trajectory) -> None:
    """Refuse a rollout whose text with tags would be read as something else than it says.

    Raises:
        RowError: reason `literal_tags`: the model's own words hold one of `OWN_TAGS`.
    """
    for index, (reasoning, visible, _, _) in enumerate(trajectory.steps):
        if "think>" in reasoning or "think>" in visible or CALL in reasoning or CALL in visible:
            tags = [tag for tag in OWN_TAGS if tag in reasoning or tag in visible]
            if tags:
                problem = f"the model's words hold {', '.join(tags)}, which a reader of the text takes for its own tag"
                raise RowError("literal_tags", problem, f"$.steps[{index}]")


def write_turn(step: Step) -> str:
    """The step's turn as text."""
    reasoning, visible, call, _ = step
    text = f"{THINK}\n{reasoning}\n{END_THINK}" if reasoning else ""
    if visible:
        text = f"{text}\n\n{visible}" if text else visible
    if call is None:
        return text
    gap = "\n" if visible else "\n\n" if text else ""
    return f"{text}{gap}{CALL}\n{_call_text(call)}\n{END_CALL}"


def read_turn(text: str) -> Step:
    """The step that `write_turn` wrote, without its observation."""
    call = None
    if text.endswith(f"\n{END_CALL}") and f"{CALL}\n" in text:
        head, _, body = text.rpartition(f"{CALL}\n")
        call = read_call(body.removesuffix(f"\n{END_CALL}"))
        text = head.removesuffix("\n")
    if not text.startswith(f"{THINK}\n"):
        return Step("", text, call, None)
    reasoning, _, rest = text.removeprefix(f"{THINK}\n").partition(f"\n{END_THINK}")
    return Step(reasoning, rest.removeprefix("\n\n" if len(rest) > 1 else "\n"), call, None)


def mark_turn(text: str, marks: TextMarks) -> str:
    """A turn that `write_turn` wrote, with its reasoning, visible text and call between marks."""
    step = read_turn(text)
    call = step.call
    reasoning, visible = marks.mark(step.reasoning, "reasoning"), marks.mark(step.visible, "answers")
    if call is not None:
        marks.group("calls")
        arguments = json.dumps(marks.values(json.loads(call.arguments)), ensure_ascii=False)
        call = call._replace(name=marks.mark(call.name), arguments=arguments)
    return write_turn(Step(reasoning, visible, call, None))


def read_call(text: str) -> ToolCall:
    """The call that a JSON object of a name and arguments describes."""
    call = _decode(text)
    return ToolCall(call.name, bytes(call.arguments).decode())


def write_result(observation: str) -> str:
    """An observation as a user message."""
    return f"{RESULT}{observation}{END_RESULT}"


def read_result(text: str) -> str:
    """The observation that `write_result` wrote."""
    return text.removeprefix(RESULT).removesuffix(END_RESULT)


def _call_text(call: ToolCall) -> str:
    r"""The call as JSON: the model's own arguments, in which a closing tag is escaped (`<\/`), the same JSON value.

    Readers look for the first closing tag behind the opening one, so one inside a string would cut the call short.
    """
    arguments = call.arguments
    if "</" in arguments:
        arguments = arguments.replace(END_CALL, r"<\/tool_call>").replace(END_THINK, r"<\/think>")
    name = '"bash"' if call.name == "bash" else _encode(call.name).decode()
    return f'{{"name": {name}, "arguments": {arguments}}}'
