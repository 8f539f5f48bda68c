"""The check of serving agrees with brute force on every turn of every row of the sample, for every template of TRL.

The brute force here uses nothing of the package: `transformers` renders every prefix of every row.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import trl

import sera_swezero
from sera_swezero.templates.parity import ParityCheck, ParityCounts
from sera_swezero.templates.survival import look
from sera_swezero.views.chat_template import load_template
from tests.support.processes import HERE, program

pytestmark = pytest.mark.clients

TEMPLATES = Path(trl.__file__).parent / "chat_templates"
NAMES = sorted(path.stem for path in TEMPLATES.glob("*.jinja"))
SERVING = [name for name in NAMES if not name.endswith("_training")]
SETS = ["sera", "swe-zero-1k-32k", "swe-zero-1k-8k", "swe-zero-12m"]
ON_THE_PAGE = ["sera", "swe-zero-1k-32k"]
"""The sets for which docs/train-on-it.md has the shares of turns in parity."""
STEP = 20
"""Every how many rows of a set one is rendered; `make long` renders all of them."""
OTHERS = {
    "qwen3": ["qwen3_instruct_2507_training", "qwen3_5_think_training", "qwen2_5_training"],
    "qwen3_8": ["qwen3_6_training", "qwen3_training"],
    "qwen3_6": ["qwen3_5_think_training"],
    "qwen3_5_think": ["qwen3_training", "qwen3_5_nothink_training"],
    "qwen3_5_nothink": ["qwen3_5_think_training"],
}
"""Serving template -> the training templates of its relatives, with which people train by mistake."""

Message = dict[str, Any]


def trained_with(serving: str) -> list[str]:
    """The training templates that are compared with a serving template."""
    return [name for name in (serving, f"{serving}_training", *OTHERS.get(serving, ())) if name in NAMES]


@functools.cache
def rows(config: str) -> list[Message]:
    return list(sera_swezero.load_dataset(config, view="openai", split="train", streaming=True, upstream="sample"))


@functools.cache
def source(name: str) -> str:
    return (TEMPLATES / f"{name}.jinja").read_text()


def rendered(name: str, messages: Sequence[Message], tools: Any, **options: Any) -> tuple[str, list[tuple[int, int]]]:
    from transformers.utils.chat_template_utils import render_jinja_template

    try:
        (found,), parts = render_jinja_template([messages], tools, chat_template=source(name), **options)
    except Exception as error:
        raise ValueError from error
    return found, parts[0] if parts else []


class Beginnings:
    """What a template makes of the first messages of a row, each rendered once; None where it refuses them."""

    def __init__(self, name: str, row: Message) -> None:
        self.name, self.row = name, row
        self.prompt = functools.cache(functools.partial(self._render, add_generation_prompt=True))
        self.text = functools.cache(self._render)

    def _render(self, count: int, **options: Any) -> str | None:
        try:
            return rendered(self.name, self.row["messages"][:count], self.row["tools"], **options)[0]
        except ValueError:
            return None


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from leaves(one)


def has_calls(text: str, message: Message) -> bool:
    """Whether the text has every word of the calls, in one of the spellings of templates."""
    for said in (message.get("reasoning_content", ""), message["content"]):
        text = text.replace(said.strip(), "", 1)  # it may have the same words
    words = [word for call in message.get("tool_calls", ()) for word in leaves(call["function"]) if word.strip()]
    return all(
        any(one in text for one in (word, repr(word)[1:-1], *(json.dumps(word, ensure_ascii=a)[1:-1] for a in (0, 1))))
        for word in words
    )


class BruteForce:
    """The verdict on every turn of a row, from renderings of every prefix."""

    def __init__(self, training: Beginnings) -> None:
        self.training, self.messages = training, training.row["messages"]
        self.marks = "endgeneration" in source(training.name)
        self.text, parts = rendered(
            training.name, self.messages, training.row["tools"], return_assistant_tokens_mask=self.marks
        )
        self.loss = {at for start, end in parts for at in range(start, end)}

    def in_parity(self, turn: int, serving: Beginnings) -> bool:
        prompt, whole = serving.prompt(turn), serving.text(turn + 1)
        if prompt is None or whole is None or not self.text.startswith(prompt):
            return False
        start, message = len(prompt), self.messages[turn]
        if whole.startswith(prompt):
            end = start + len(whole[start:].rstrip())
            if self.text[start:end] != whole[start:].rstrip():
                return False
        else:
            if not self.marks:
                return has_calls(self.text[start:], message)
            end = next(at for at in range(start + 1, len(self.text) + 1) if at - 1 in self.loss and at not in self.loss)
            end = len(self.text[:end].rstrip())
        if not has_calls(self.text[start:end], message):
            return False
        if not self.marks:
            own = self.training.prompt(turn)
            assert own is not None
            return not self.text.startswith(own) or len(own) == start
        between = itertools.takewhile(lambda one: one["role"] != "assistant", reversed(self.messages[:turn]))
        texts = [one["content"].strip() for one in between]
        said = next(filter(None, texts), "")
        begin = self.text.rfind(said, 0, start) if said else -1
        if begin < 0:
            before = self.training.text(turn - len(texts))
            begin = len(before) if before is not None and self.text.startswith(before) else start
            while begin in self.loss:  # what ends the turn before
                begin += 1
        stop = self.next_text(turn, end)
        trained = self.loss.intersection(range(begin, stop))
        return trained - set(range(end, stop)) == set(range(start, end))

    def next_text(self, turn: int, end: int) -> int:
        """Where the text of the message after the turn begins; what is trained up to there ends the turn."""
        following = self.messages[turn + 1]["content"].strip() if turn + 1 < len(self.messages) else ""
        at = self.text.find(following, end) if following else -1
        return end + 200 if at < 0 else at


PAGE = (HERE / "docs" / "train-on-it.md").read_text()
SHOWN = re.findall(
    r"^```console\n\$ sera-swezero (render [^\n]*--upstream sample)\n\.\.\.\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE
)


@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_the_docs_show_what_the_command_prints(
    command: str, output: str, tokenizer_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(SHOWN) == 3
    monkeypatch.chdir(tmp_path)
    (chatml,) = re.findall(r"^```jinja\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    Path("chatml.jinja").write_text(chatml)
    for folder, template in (("runs/out", chatml), ("Qwen/Qwen3-8B", (TEMPLATES / "qwen3.jinja").read_text())):
        shutil.copytree(tokenizer_folder, folder)
        Path(folder, "chat_template.jinja").write_text(template)
    done = program(*command.split(), cwd=tmp_path)
    assert done.returncode == 1
    assert output in done.stdout


class Recorder(ParityCheck):
    """Keeps the verdict on every turn of the last row."""

    def count(self, turns: dict[int, list[tuple[str, str, str]]]) -> None:
        self.verdicts = {turn: not found for turn, found in turns.items()}
        super().count(turns)


@pytest.mark.parametrize("step", [STEP, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize("serving", SERVING)
def test_every_verdict_is_that_of_brute_force(serving: str, step: int) -> None:
    found: dict[str, list[ParityCounts]] = {}
    for config in SETS:
        checks = {name: Recorder(load_template(name), load_template(serving)) for name in trained_with(serving)}
        for number, row in enumerate(rows(config)[::step]):
            turns = [at for at, message in enumerate(row["messages"]) if message["role"] == "assistant"]
            served = Beginnings(serving, row)
            for training, check in checks.items():
                try:
                    brute = BruteForce(served if training == serving else Beginnings(training, row))
                except ValueError:
                    expected = dict.fromkeys(turns, False)
                else:
                    expected = {turn: brute.in_parity(turn, served) for turn in turns}
                look([row], "openai", check.training, parity=check)
                assert check.verdicts == expected, (training, config, number)
        for training, check in checks.items():
            if config in ON_THE_PAGE:
                found.setdefault(training, []).append(check.counts)
    if step == 1:
        page = on_the_page()
        assert {name: shown(counts) for name, counts in found.items()} == {name: page[name, serving] for name in found}


def shown(counts: Sequence[ParityCounts]) -> tuple[list[str], set[str]]:
    """The shares of turns in parity and the causes of the others, as the page has them."""
    shares = [f"{one.turns_in_parity / one.turns:.1%}".replace("%", " %") for one in counts]
    return shares, {cause for one in counts for cause in one.causes}


def on_the_page() -> dict[tuple[str, str], tuple[list[str], set[str]]]:
    """(training template, serving template) -> what the page says of the pair."""
    found = {}
    lines = PAGE.split("### Which templates go together")[1].split("| trained with |")[1].split("\n\n")[0].splitlines()
    for line in lines[2:]:
        names, serving, *shares, causes = (cell.strip() for cell in line.strip("|").split(" |"))
        for name in re.findall(r"`(\w+)`", names):
            others = {"the same": name, "the same without `_training`": name.removesuffix("_training")}
            pair = name, others.get(serving, serving.strip("`"))
            assert pair not in found
            found[pair] = shares, set(re.findall(r"`(\w+)`", causes))
    return found


@pytest.mark.long
def test_the_page_has_every_pair() -> None:
    assert on_the_page().keys() == {(training, serving) for serving in SERVING for training in trained_with(serving)}
