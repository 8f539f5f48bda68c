"""The text functions, each against a slow twin that follows its rule letter by letter."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import mend_json, mend_text, split_thinking
from sera_swezero.sources.bash_block import find_block
from sera_swezero.sources.decoding import without_prefix

tagged = st.lists(
    st.sampled_from(["<think>", "</think>", "<think", "think>", "</", "a", "b c", "\n", " ", "\t", "\u00a0", "\u2028"])
).map("".join)


def slow_split(text: str) -> tuple[str, str]:
    """The rule, one character at a time: in or out of a block, and what a tag does there."""
    reasoning: list[str] = []
    visible: list[str] = []
    piece, inside = "", False
    while text:
        if text.startswith("</think>"):  # ends a block, or, alone, makes reasoning of all since the last one
            reasoning.append(piece)
            piece, inside, text = "", False, text[8:]
        elif text.startswith("<think>") and not inside:
            visible.append(piece)
            piece, inside, text = "", True, text[7:]
        else:
            piece, text = piece + text[0], text[1:]
    (reasoning if inside else visible).append(piece)
    reasoning, visible = ([part.strip(" \t\r\n") for part in parts] for parts in (reasoning, visible))
    return "\n\n".join(filter(None, reasoning)), "\n\n".join(filter(None, visible))


@given(tagged)
@example("<think>a</think>")
@example("<think>a</think>\nb")
@example("a</think>b")
@example("a<think>b")
@example("<think>a<think>b</think>c</think>d")
@example("<think>a</think>b<think>")
@example("<think> \n</think> ")
def test_split_thinking_is_its_rule(text: str) -> None:
    assert split_thinking(text) == slow_split(text)


def test_split_thinking_takes_linear_time() -> None:
    # If it were quadratic, the test's time limit would notice.
    for text in ("</think>", "<think>", "<think></think>"):
        assert split_thinking(text * 300_000)[1] == ""
    assert split_thinking("<think>" + "</think" * 300_000)[1] == ""


@pytest.mark.parametrize(
    ("text", "rest", "prefix"),
    [
        ("OBSERVATION:\nx", "x", "OBSERVATION:\n"),
        ("Observation: x", "x", "Observation: "),
        ("Observation: ", "", "Observation: "),
        ("OBSERVATION:\nObservation: x", "Observation: x", "OBSERVATION:\n"),
        ("Observation: OBSERVATION:\nx", "OBSERVATION:\nx", "Observation: "),
        ("OBSERVATION: x", "OBSERVATION: x", ""),
        ("OBSERVATION:\r\nx", "OBSERVATION:\r\nx", ""),
        ("Observation:\nx", "Observation:\nx", ""),
        (" Observation: x", " Observation: x", ""),
        ("observation: x", "observation: x", ""),
        ("", "", ""),
    ],
)
def test_one_leading_prefix_goes_and_nothing_else(text: str, rest: str, prefix: str) -> None:
    log = ConversionLog()
    assert without_prefix(text, log) == rest
    assert log == ([("observation_prefix", prefix)] if prefix else [])


# --- lone surrogates

HALVES = "".join(map(chr, (0xD800, 0xDBFF, 0xDC00, 0xDFFF)))
odd_text = st.text(st.sampled_from(f'ab"\\/\u00e9\u2028\U0001f680\ufffd{HALVES}'), max_size=12)


def pairs_joined(text: str) -> str:
    """What JSON makes of a text: a high half and a low half behind it are one character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def mended(text: str) -> tuple[str, int]:
    lone = [c for c in pairs_joined(text) if "\ud800" <= c <= "\udfff"]
    return "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in pairs_joined(text)), len(lone)


@given(odd_text)
@example("\ud83d\ude80")
@example("\ud83d\ud83d\ude80")
@example("\\ud800")
@example("\\\ud800")
def test_mend_json_mends_escaped_halves_and_nothing_else(text: str) -> None:
    line = json.dumps({"a": text, text: [1.50, 2**70]}).encode()
    repaired, count = mend_json(line)
    wanted, lone = mended(text)
    assert count == 2 * lone
    assert msgspec.json.decode(repaired) == {"a": wanted, wanted: [1.50, 2**70]}
    if not lone:
        assert repaired == line


@given(odd_text.filter(lambda text: pairs_joined(text) == text))
def test_mend_json_mends_raw_halves(text: str) -> None:
    """Halves as bytes (CESU-8, WTF-8), which no decoder takes for UTF-8."""
    raw = json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")
    repaired, count = mend_json(raw)
    assert (msgspec.json.decode(repaired), count) == mended(text)


@given(st.binary(max_size=40))
def test_mend_json_gives_utf8_whatever_it_gets(raw: bytes) -> None:
    repaired, _ = mend_json(raw)
    repaired.decode()


@given(odd_text)
def test_mend_text_mends_every_half(text: str) -> None:
    count = sum("\ud800" <= c <= "\udfff" for c in text)
    assert mend_text(text) == ("".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text), count)


# --- bash blocks

GENERATOR = re.compile(r"```bash\s*\n(.*?)\n```", re.DOTALL)
"""The pattern of the program that made the SWE-ZERO sets: the first match, stripped, is what it ran."""

fenced = st.lists(
    st.sampled_from(["```bash", "```bash\n", "```", "\n```", "\n", " ", "\r\n", "x", "bash", "``", "\u2028", "\x0b"])
).map("".join)


@given(fenced)
@example("```bash\n\n```")
@example("```bash\n```")
@example("```bash\n\n\n```\n")
@example("```bash \n```\n```bash\nls\n```")
def test_a_block_is_what_the_generator_found(content: str) -> None:
    match, found = GENERATOR.search(content), find_block(content)
    if match is None:
        assert found is None
    else:
        assert found is not None
        start, command, end = found
        assert (start, command.strip(), end) == (match.start(), match.group(1).strip(), match.end())


def test_finding_a_block_takes_linear_time() -> None:
    assert find_block("```bash" * 10**6) is None
    assert find_block("```bash" + "\n" * 10**6) is None
    assert find_block("```bash\nls``` " * 10**6) is None
    assert find_block("```bash \n" * 10**5) == (0, "```bash ", 21)
