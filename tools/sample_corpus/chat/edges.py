"""Oddities of chats."""

from __future__ import annotations

import json

from tools.sample_corpus.chat.rows import Chat, calling
from tools.sample_corpus.edges import Table
from tools.sample_corpus.scene import Scene

EDGES = Table()
edge = EDGES.edge


@edge(openhands_zero=1, openhands_hero=1, rebench=1, traces=1, own_chat=1)
def arguments_empty(scene: Scene, chat: Chat) -> None:
    """A call whose arguments are the empty text."""
    chat.messages[chat.turns()[0]]["tool_calls"][0]["function"]["arguments"] = ""


@edge(openhands_zero=1, rebench=1, own_chat=1)
def arguments_null(scene: Scene, chat: Chat) -> None:
    """A call whose arguments are null."""
    chat.messages[chat.turns()[1]]["tool_calls"][0]["function"]["arguments"] = None


@edge(own_chat=1)
def arguments_object(scene: Scene, chat: Chat) -> None:
    """A call whose arguments are an object."""
    function = chat.messages[chat.turns()[0]]["tool_calls"][0]["function"]
    function["arguments"] = json.loads(function["arguments"])


@edge(traces=2, own_chat=1)
def parallel_calls(scene: Scene, chat: Chat) -> None:
    """Two calls in one turn; their results follow in order."""
    first, second = chat.turns()[:2]
    chat.messages[first]["tool_calls"] += chat.messages[second]["tool_calls"]
    del chat.messages[second]


@edge(openhands_zero=1, openhands_hero=1, own_chat=1)
def user_replies(scene: Scene, chat: Chat) -> None:
    """The user speaks after a result."""
    chat.messages.insert(chat.turns()[1], {"role": "user", "content": "Please go on without asking."})


@edge(openhands_zero=1, openhands_hero=1, traces=1)
def ends_on_result(scene: Scene, chat: Chat) -> None:
    """The rollout stops behind a result."""
    chat.messages.pop()


@edge(rebench=1)
def cap(scene: Scene, chat: Chat) -> None:
    """The rollout ran into its cap, and tests pass all the same."""
    chat.messages.pop()
    chat.columns.update(exit_status="max_iterations", resolved=1)


@edge(rebench=1)
def submitted_without_finish(scene: Scene, chat: Chat) -> None:
    """The row says that it was submitted, and no call does."""
    chat.messages.pop()


@edge(rebench=1)
def failed(scene: Scene, chat: Chat) -> None:
    """The row says that there was an error."""
    chat.messages.pop()
    chat.columns["exit_status"] = "error: the container is gone"


@edge(own_chat=1, traces=1)
def ends_on_words(scene: Scene, chat: Chat) -> None:
    """The last turn is words alone."""
    chat.messages[-1] = {"role": "assistant", "content": scene.prose(90)}


@edge(own_chat=1, traces=1)
def reasoning_apart(scene: Scene, chat: Chat) -> None:
    """The reasoning is a member of its own."""
    for at in chat.turns():
        chat.messages[at]["reasoning_content"] = scene.prose(90)


@edge(own_chat=1)
def reasoning_in_tags(scene: Scene, chat: Chat) -> None:
    """The reasoning is in think tags."""
    for at in chat.turns():
        chat.messages[at]["content"] = f"<think>{scene.prose(90)}</think>\n{chat.messages[at]['content']}"


@edge(own_chat=1)
def content_in_parts(scene: Scene, chat: Chat) -> None:
    """Contents are lists of texts, and there is no system message."""
    del chat.messages[0]
    for message in chat.messages:
        parts = [message["content"], "and more"] if message["role"] == "tool" else [message["content"]]
        message["content"] = [{"type": "text", "text": part} for part in parts]


@edge(own_chat=1)
def messages_as_text(scene: Scene, chat: Chat) -> None:
    """The messages are the JSON text of their list, in the column `conversations`; so are the tools."""
    chat.column, chat.as_text = "conversations", True
    chat.columns["tools"] = json.dumps([json.loads(tool) for tool in chat.columns["tools"]])


@edge(own_chat=1)
def no_tools_and_no_id(scene: Scene, chat: Chat) -> None:
    """Nothing but messages."""
    chat.columns.clear()


@edge(openhands_zero=1, own_chat=1)
def lost_result(scene: Scene, chat: Chat) -> None:
    """The result of a call is lost: rejected."""
    del chat.messages[chat.turns()[0] + 1]


@edge(openhands_hero=1, own_chat=1)
def arguments_cut(scene: Scene, chat: Chat) -> None:
    """The arguments of a call are cut: rejected."""
    function = chat.messages[chat.turns()[0]]["tool_calls"][0]["function"]
    function["arguments"] = function["arguments"][:-2]


@edge(own_chat=1)
def image(scene: Scene, chat: Chat) -> None:
    """A result is an image: rejected."""
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    chat.messages[chat.turns()[0] + 1]["content"] = [part]


@edge(own_chat=1)
def two_names(scene: Scene, chat: Chat) -> None:
    """A call of a tool that there is not, and a submit in the middle."""
    chat.messages[chat.turns()[0]]["tool_calls"] = [calling("look", {"at": scene.issue.path}, "made-look")]
    chat.messages[chat.turns()[0] - 1]["tool_call_id"] = "made-look"
