"""Ways to break a decoded record or row: values replaced, keys lost, messages dropped, doubled, moved and cut."""

from __future__ import annotations

import copy
import json
import random
import sys
from collections.abc import Callable
from typing import Any

from tests.support.raw import LS

HOSTILE: tuple[Any, ...] = (
    *("", " ", "\x00", "\u2028", "\x1b[31m", "\ud800", "\udc00\ud800", "\ufeff", "\U0001f680", "<think>", "</think>"),
    *("<tool_call>", "</tool_call>", "</tool_response>", "<answer>", "```bash\nls\n```", "```bash\n", "\n```"),
    *("THOUGHT:", "OBSERVATION:\n", "Observation: ", "Exit due to cost limit", "submit", "{}", "[]", "null"),
    *('{"a": NaN}', "\\ud800", "Submitted", "incomplete", "system", "user", "assistant", "tool", "function"),
    *("[" * 5_000, '{"a":' * 5_000, None, True, False, 0, -1, 1.5, 2**63, -(2**70), 10**4000, 1e308),
    *(float("nan"), float("inf"), [], {}, [[]], {"": {}}, ["ls"], {"text": "x"}, [{"type": "text", "text": "x"}]),
    *([{"text": "x"}, {"text": "y"}], {"command": "ls"}, LS),
)
"""Values to put where another stood. Big integers and non-finite floats come as they are where JSON can write them."""

Record = Any
Mutation = Callable[[random.Random, Record], Record]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below a value."""
    found: list[tuple[Any, Any]] = []
    stack = [value]
    while stack:
        one = stack.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in keys:
            found.append((one, key))
            stack.append(one[key])
    return found


def replace_value(rng: random.Random, record: Record) -> Record:
    container, key = rng.choice(places(record))
    container[key] = copy.deepcopy(rng.choice(HOSTILE))
    return record


def insert_text(rng: random.Random, record: Record) -> Record:
    texts = [(container, key) for container, key in places(record) if isinstance(container[key], str)]
    if texts:
        container, key = rng.choice(texts)
        text, piece = container[key], rng.choice([value for value in HOSTILE if isinstance(value, str)])
        at = rng.randint(0, len(text))
        container[key] = text[:at] + piece + text[at:]
    return record


def delete_key(rng: random.Random, record: Record) -> Record:
    container, key = rng.choice(places(record))
    del container[key]
    return record


def add_key(rng: random.Random, record: Record) -> Record:
    dicts = [container for container, _ in places(record) if isinstance(container, dict)] or [record]
    name = rng.choice(["thought", "content", "tool_calls", "tool_call_ids", "role", "arguments", "x", "", "\ud800"])
    rng.choice(dicts)[name] = copy.deepcopy(rng.choice(HOSTILE))
    return record


def copy_value(rng: random.Random, record: Record) -> Record:
    """Put one part of the record where another stood, such as a message where a text was."""
    every = places(record)
    (container, key), (other, name) = rng.choice(every), rng.choice(every)
    container[key] = copy.deepcopy(other[name])
    return record


def on_messages(change: Callable[[random.Random, list[Any]], None]) -> Mutation:
    def mutate(rng: random.Random, record: Record) -> Record:
        messages = record.get("messages")
        if isinstance(messages, list) and messages:
            change(rng, messages)
        return record

    return mutate


def drop(rng: random.Random, messages: list[Any]) -> None:
    del messages[rng.randrange(len(messages))]


def double(rng: random.Random, messages: list[Any]) -> None:
    at = rng.randrange(len(messages))
    messages.insert(rng.randint(0, len(messages)), copy.deepcopy(messages[at]))


def swap(rng: random.Random, messages: list[Any]) -> None:
    a, b = rng.randrange(len(messages)), rng.randrange(len(messages))
    messages[a], messages[b] = messages[b], messages[a]


def cut(rng: random.Random, messages: list[Any]) -> None:
    del messages[rng.randint(0, len(messages)) :]


MUTATIONS: tuple[Mutation, ...] = (
    *(replace_value, insert_text, insert_text, insert_text, delete_key, add_key, copy_value),
    *map(on_messages, (drop, double, swap, cut)),
)


def mutate(rng: random.Random, record: Record) -> Record:
    """Return a copy that is broken in one to four places."""
    record = copy.deepcopy(record)
    for _ in range(rng.choice((1, 1, 1, 1, 2, 4))):
        if isinstance(record, dict) and record:
            record = rng.choice(MUTATIONS)(rng, record)
    return record


def dumped(value: Any, *, ensure_ascii: bool = True) -> str:
    """JSON of a value, however large its integers; NaN and infinities as Python writes them."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return json.dumps(value, ensure_ascii=ensure_ascii)
    finally:
        sys.set_int_max_str_digits(limit)
