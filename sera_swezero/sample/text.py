"""Seeded prose and code: sentences that read like a model's thoughts, functions that read like a library's."""

from __future__ import annotations

from random import Random

from .words import ADJECTIVES, FRAMES, ISSUES, NOUNS, VERBS


def name(rng: Random) -> str:
    """A function name such as `merge_cursor` or `flush_stale_ledger`."""
    middle = f"{rng.choice(ADJECTIVES)}_" if rng.random() < 0.25 else ""
    return f"{rng.choice(VERBS)}_{middle}{rng.choice(NOUNS)}"


def class_name(rng: Random) -> str:
    """A class name such as `SparseLedger`."""
    return (rng.choice(ADJECTIVES) + " " + rng.choice(NOUNS)).title().replace(" ", "")


def _fill(rng: Random, frame: str) -> str:
    noun = rng.choice(NOUNS)
    return frame.format(
        a=rng.choice(ADJECTIVES),
        b=rng.choice(ADJECTIVES),
        n=noun,
        N=noun.capitalize(),
        m=rng.choice(NOUNS),
        v=rng.choice(VERBS),
        f=name(rng),
        k=rng.randrange(2, 900),
    )


def sentence(rng: Random) -> str:
    """One sentence of reasoning about code."""
    return _fill(rng, rng.choice(FRAMES))


def title(rng: Random) -> str:
    """The title of an issue."""
    return _fill(rng, rng.choice(ISSUES))


def paragraph(rng: Random, chars: int) -> str:
    """Sentences, about `chars` characters of them, at least one."""
    parts = [sentence(rng)]
    size = len(parts[0])
    while size < chars - 50:
        parts.append(sentence(rng))
        size += len(parts[-1]) + 1
    return " ".join(parts)


def statement(rng: Random, names: list[str], depth: int) -> list[str]:
    """One statement over the local `names`, with what is nested in it; indented by `depth` levels."""
    pad = "    " * depth
    x, y, z = rng.choice(names), rng.choice(names), rng.choice(names)
    attribute, number = rng.choice(NOUNS), rng.randrange(2, 4000)
    kind = rng.randrange(16)
    if kind < 2:
        return [f"{pad}{x} = self.{attribute}.{name(rng)}({y}, {z})"]
    if kind == 2:
        return [f"{pad}if {x} is None:", f"{pad}    {x} = {class_name(rng)}({attribute}={number})"]
    if kind == 3 and depth < 4:
        return [f"{pad}for {y} in {x}.{name(rng)}():", *block(rng, names, depth + 1, 2)]
    if kind == 4 and depth < 4:
        return [
            f"{pad}if {x}.{attribute} > {number} and not {y}.is_{rng.choice(ADJECTIVES)}:",
            *block(rng, names, depth + 1, 2),
        ]
    if kind == 5:
        return [
            f'{pad}raise ValueError(f"cannot {rng.choice(VERBS)} {attribute} {{{x}!r}}: {rng.choice(NOUNS)} is {rng.choice(ADJECTIVES)}")'
        ]
    if kind == 6:
        return [f'{pad}logger.debug("{rng.choice(VERBS)} %s after %d ms", {x}, {number})']
    if kind == 7:
        return [f"{pad}{x} = [{attribute} for {attribute} in {y} if {attribute}.{rng.choice(NOUNS)} != {z}]"]
    if kind == 8:
        return [f"{pad}try:", f"{pad}    {x} = {name(rng)}({y}, {attribute}={number})", f"{pad}except {rng.choice(('KeyError', 'OSError', 'TypeError'))}:",
                f"{pad}    {x} = {z}"]  # fmt: skip
    if kind == 9:
        return [f"{pad}with self._{attribute}_lock:", f"{pad}    self._{rng.choice(NOUNS)}[{x}] = {y}"]
    if kind == 10:
        return [f"{pad}# {sentence(rng)}"]
    if kind == 11:
        return [f'{pad}{x} = {y}.get("{attribute}_{rng.choice(NOUNS)}", {number})']
    if kind == 12:
        return [f"{pad}assert len({x}) <= {number}, {y}"]
    if kind == 13:
        return [f"{pad}{x}, {y} = {y}, {x}.{attribute}[:{number}]"]
    if kind == 14:
        return [f"{pad}yield {name(rng)}({x}), {y}"] if depth > 1 else [f"{pad}{x} += {number}"]
    return [f"{pad}{name(rng)}({x}, *{y}, {attribute}={z})"]


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
    lines += block(rng, names, depth + 1, rng.randrange(3, 9))
    return [*lines, f"{pad}    return {names[3] if rng.random() < 0.5 else names[0]}"]


def module(rng: Random, functions: list[str], classes: int) -> list[str]:
    """The lines of a module that holds `functions`, spread over `classes` classes and the top level."""
    lines = [f'"""{sentence(rng)}"""', "", "import logging", f"from .{rng.choice(NOUNS)} import {class_name(rng)}", ""]
    lines += ["logger = logging.getLogger(__name__)", ""]
    share = len(functions) // (classes + 1)
    for number in range(classes):
        lines += ["", f"class {class_name(rng)}({class_name(rng)}):", f'    """{sentence(rng)}"""', ""]
        for called in functions[number * share : (number + 1) * share]:
            lines += [*function(rng, called, depth=1), ""]
    for called in functions[classes * share :]:
        lines += ["", *function(rng, called), ""]
    return lines
