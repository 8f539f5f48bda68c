"""Rendering through a chat template: what it costs, and what a trainer's own limit cuts off."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from sera_swezero.errors import ConfigError
from sera_swezero.templates.survival import look
from sera_swezero.views.chat_template import ChatTemplate
from tests.support.characters import tokenizer
from tests.support.processes import inside

__all__ = ["tokenizer"]  # a fixture

PLAIN = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"


def test_a_text_that_looks_like_a_mark_costs_no_more_than_its_length() -> None:
    template = ChatTemplate("plain", PLAIN)
    texts = ("[" + "x" * 400_000, "[x" * 200_000)
    rows = [{"messages": [{"role": role, "content": text} for role in ("user", "assistant")]} for text in texts]
    begun = time.monotonic()
    found = look([row | {"tools": []} for row in rows], "openai", template)
    assert time.monotonic() - begun < 5
    assert found.rows == 2
    assert found.kept == found.total


def test_a_trainer_s_limit_cuts_off_the_turns_that_end_behind_it(tokenizer: str) -> None:
    said = ["system", "user", "assistant", "user", "assistant", "assistant"]
    rows = [{"messages": [{"role": role, "content": f"{'x' * 20}{n}"} for n, role in enumerate(said)], "tools": []}]
    text = "".join(f"{message['role']}: {message['content']}\n" for message in rows[0]["messages"])
    ends = [text.index(f"x{n}") + 2 for n, role in enumerate(said) if role == "assistant"]
    for limit in range(1, len(text) + 2):
        found = look(rows, "openai", ChatTemplate("plain", PLAIN), tokenizer, limit)
        assert (found.tokens, found.turns) == (len(text), 3)
        assert found.cut_turns == sum(end > limit for end in ends)


def test_render_says_what_a_trainer_s_limit_cuts_off(tokenizer: str, tmp_path: Path) -> None:
    (tmp_path / "plain.jinja").write_text(PLAIN)
    command = ["render", "glm-4.6-lite-t2-hermes", "--upstream", "sample", "--template", str(tmp_path / "plain.jinja")]
    limit = ["--tokenizer", tokenizer, "--max-length", "9000"]
    said = inside(*command, *limit)
    figures = json.loads(inside(*command, *limit, "--json").output)
    assert said.exit_code == 1
    assert 0 < figures["cut_turns"] < figures["turns"]
    cut = f"{figures['turns']:,}, of which {figures['cut_turns']:,} ({figures['cut_turns'] / figures['turns']:.1%})"
    assert f"turns of the model: {cut} are cut off by a limit of 9,000 tokens" in said.output
    with pytest.raises(ConfigError, match=re.escape("--max-length counts tokens; give --tokenizer, too")):
        inside(*command, "--max-length", "9")
