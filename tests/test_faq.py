"""The page of questions quotes messages that a user meets: each is provoked here, and is what the page says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.support.processes import HERE, python

FAQ = (HERE / "docs" / "faq.md").read_text(encoding="utf-8")
LOAD = "import sera_swezero\nload = lambda name, **given: sera_swezero.load_dataset(name, split='train', **given)\n"
SAMPLE = "streaming=True, upstream='sample'"
COMMAND = "from sera_swezero.cli import main\n"

PROVOKED = {
    "Couldn't reach 'sera_swezero' on the Hub": "import datasets; datasets.load_dataset('sera_swezero', 'sera')",
    "offline ..., and revision 'main' was never resolved on this machine": LOAD + "load('sera', streaming=True)",
    "310 rows in, 259 out, rejected: 10 bad_arguments, ...": LOAD + f"list(load('sera', {SAMPLE}))",
    "the state was saved under another plan and would be misread": LOAD
    + f"one, other = (load('sera-hermes', shuffle_seed=seed, {SAMPLE}) for seed in (17, 18))\n"
    "next(iter(one)); other.load_state_dict(one.state_dict()); next(iter(other))",
    "Schema at index 76 was different": LOAD + f"load('sera-hermes', {SAMPLE}).map(lambda row: {{'n': 1}}).to_pandas()",
    "no template of that name; there are none, since neither trl nor transformers is installed": COMMAND
    + "main(['render', 'sera-hermes', '--template', 'qwen3_training'])",
    "has no manifest.json; expected a directory that `sera-swezero build` made": COMMAND
    + "main(['push', '.', 'OWNER/NAME'])",
}
"""What is said -> the script of which it comes. Without a network."""

ELSEWHERE = {
    "at least one example has no assistant tokens": "tests/clients/test_faq.py",
    "There seems not to be a single sample in your epoch_iterator": "tests/clients/test_faq.py",
    "the view 'openai' holds objects, which datasets below 4.8 cannot": "tests/request/test_arguments.py",
    "Dataset 'sera_swezero' doesn't exist on the Hub": "online only",
    "terminate called without an active exception": "pyarrow 24 or older only",
}
"""What is said -> the test that provokes it, or where it is met."""


def test_every_message_of_the_page_is_provoked() -> None:
    quoted = [
        quote for heading in re.findall(r"^### (.*)$", FAQ, re.MULTILINE) for quote in re.findall('"(.+?)"', heading)
    ]
    assert sorted(quoted) == sorted(PROVOKED | ELSEWHERE)


@pytest.mark.parametrize("said", PROVOKED)
def test_the_message_is_what_the_page_says(said: str, tmp_path: Path) -> None:
    caches = {"HF_HOME": str(tmp_path), "HF_DATASETS_CACHE": str(tmp_path)}
    env = {**os.environ, **caches, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(HERE)}
    done = python("-c", PROVOKED[said], env=env, cwd=tmp_path)
    assert re.search(".*".join(map(re.escape, said.split("..."))), done.stderr), done.stderr
