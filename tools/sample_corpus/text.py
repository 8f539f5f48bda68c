"""Seeded prose and code: sentences that read like a model's thoughts, functions that read like a library's."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from tools.sample_corpus.words import ADJECTIVES, EXCEPTIONS, FRAMES, NOUNS, STATEMENTS, TITLES, VERBS

T = TypeVar("T")
DEEPEST = 4
"""Levels of indentation, after which statements nest no further."""


def pick(rng: Random, options: Sequence[T]) -> T:
    """One of the options. `Random.choice` does it three times slower, and most of the generator's time goes here."""
    return options[int(rng.random() * len(options))]


def name(rng: Random) -> str:
    """A function name such as `merge_cursor` or `flush_stale_ledger`."""
    middle = f"{pick(rng, ADJECTIVES)}_" if rng.random() < 0.25 else ""
    return f"{pick(rng, VERBS)}_{middle}{pick(rng, NOUNS)}"


def class_name(rng: Random) -> str:
    """A class name such as `SparseLedger`."""
    return pick(rng, ADJECTIVES).capitalize() + pick(rng, NOUNS).capitalize()


def _fill(rng: Random, frame: str, **more: str) -> str:
    noun = pick(rng, NOUNS)
    return frame.format(
        a=pick(rng, ADJECTIVES),
        b=pick(rng, ADJECTIVES),
        n=noun,
        N=noun.capitalize(),
        m=pick(rng, NOUNS),
        v=pick(rng, VERBS),
        f=name(rng),
        k=rng.randrange(2, 4000),
        **more,
    )


def sentence(rng: Random) -> str:
    """One sentence of reasoning about code."""
    return _fill(rng, pick(rng, FRAMES))


def title(rng: Random) -> str:
    """The title of an issue."""
    return _fill(rng, pick(rng, TITLES))


def statement(rng: Random, names: list[str], depth: int) -> list[str]:
    """One statement over the local `names`, with what is nested in it; indented by `depth` levels."""
    frame = pick(rng, STATEMENTS)
    filled = _fill(
        rng,
        frame,
        x=pick(rng, names),
        y=pick(rng, names),
        z=pick(rng, names),
        c=class_name(rng),
        e=pick(rng, EXCEPTIONS),
        s=sentence(rng) if "{s}" in frame else "",
    )
    pad = "    " * depth
    lines = [pad + line for line in filled.split("\n")]
    if lines[-1].endswith("    ..."):
        lines[-1:] = block(rng, names, depth + 1, 2) if depth < DEEPEST else [f"{pad}    continue"]
    return lines


def block(rng: Random, names: list[str], depth: int, lines: int) -> list[str]:
    """`lines` statements, each perhaps of several lines."""
    return [line for _ in range(lines) for line in statement(rng, names, depth)]


def function(rng: Random, called: str, depth: int = 0) -> list[str]:
    """The lines of a function or, one level in, of a method; no blank line behind it."""
    pad = "    " * depth
    names = rng.sample(NOUNS, 4)
    head = ", ".join((["self"] if depth else []) + [names[0], f"{names[1]}=None", f"{names[2]}={rng.randrange(64)}"])
    lines = [f"{pad}def {called}({head}):"]
    if rng.random() < 0.6:
        lines.append(f'{pad}    """{sentence(rng)}"""')
    return [*lines, *block(rng, names, depth + 1, rng.randrange(3, 9)), f"{pad}    return {pick(rng, names)}"]


def module(rng: Random, count: int, classes: int) -> tuple[list[str], list[str]]:
    """The lines of a module and the names of its `count` functions, methods as `Class.method`."""
    lines = [f'"""{sentence(rng)}"""', "", "import logging", "import warnings", ""]
    lines += [f"from .{pick(rng, NOUNS)} import {class_name(rng)}", "", "logger = logging.getLogger(__name__)", ""]
    names: list[str] = []
    for _ in range(classes):
        owner = class_name(rng)
        lines += ["", f"class {owner}({class_name(rng)}):", f'    """{sentence(rng)}"""', ""]
        for _ in range(count // (classes + 1)):
            names.append(f"{owner}.{name(rng)}")
            lines += [*function(rng, names[-1].split(".")[1], depth=1), ""]
    while len(names) < count:
        names.append(name(rng))
        lines += ["", *function(rng, names[-1]), ""]
    return lines, names
