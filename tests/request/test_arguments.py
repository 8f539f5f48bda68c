"""The arguments of a config: every name, every wrong value, and every pair of arguments."""

from __future__ import annotations

import functools
import itertools
import operator
import os
import pickle
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import datasets
import pytest

from sera_swezero import SeraSweZero, SeraSweZeroConfig, schemas
from sera_swezero.catalog import CONFIGS, DEFAULT
from sera_swezero.errors import ConfigError, SeraSweZeroError
from sera_swezero.request.arguments import ARGUMENTS, Arguments, ArgumentsDict
from sera_swezero.request.config_names import config_names, split_name
from sera_swezero.request.settle import settle
from sera_swezero.sample import ROOT
from sera_swezero.sources import SOURCES
from sera_swezero.views import VIEWS

JSON_LEAVES = tuple(int(part) for part in datasets.__version__.split(".")[:2]) >= (4, 8)

NAMES = {
    "glm-4.5-air-full-t1", "glm-4.5-air-full-t2", "glm-4.6-lite-t1", "glm-4.6-lite-t2",
    "sera", "swe-zero-1k-32k", "swe-zero-1k-8k", "swe-zero-12m",
}  # fmt: skip
CHATS = [name for name, config in CONFIGS.items() if SOURCES[config.source].takes]
TOOLS = Path(schemas.__file__).parent / "tools-swe-zero.json"
T2 = {"glm-4.5-air-full-t2", "glm-4.6-lite-t2", "sera"}


def holds_json(view: str) -> bool:
    return VIEWS[view].has_json_leaves and not JSON_LEAVES


# --- names


def test_the_configs_are_the_designs() -> None:
    assert set(CONFIGS) >= NAMES
    assert DEFAULT == "sera"
    for name in NAMES:
        expected = ("native", "keep") if name.startswith("swe-zero") else ("rectified", "reject")
        assert (CONFIGS[name].default_view, CONFIGS[name].incomplete) == expected
    assert CONFIGS["sera"].rows == 211_363
    assert CONFIGS["swe-zero-12m"].rows == 12_290_800


@pytest.mark.parametrize("name", config_names())
def test_every_name_is_a_config_in_a_view(name: str) -> None:
    base, view = split_name(name)
    assert base in CONFIGS
    assert name in (base, f"{base}-{view}")
    expected = view or CONFIGS[base].default_view
    if holds_json(expected):
        return
    where = {"upstream": "runs"} if CONFIGS[base].own else {}
    request = settle(name, **where)
    assert (request.config.name, request.view.name) == (base, expected)
    # The default view's own name behind a config is an alias of the plain name; the published name has it not.
    assert request.name == (base if expected == CONFIGS[base].default_view else f"{base}-{expected}")
    assert request.arguments.incomplete == CONFIGS[base].incomplete
    assert request.arguments.on_error == "skip"
    assert request == settle(base, view=view, **where)


def test_there_are_as_many_names_as_configs_and_views() -> None:
    assert len(config_names()) == len(set(config_names())) == len(CONFIGS) * (1 + len(VIEWS))


def test_no_name_is_the_default() -> None:
    assert settle() == settle(DEFAULT)


@pytest.mark.parametrize(
    "name", ["", "Sera", "sera-", "sera-xml", "glm-4.6-lite-t3", "sera-openai-openai", "-openai", "swe-zero"]
)
def test_an_unknown_name_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settle(name)
    for known in (*CONFIGS, *(f"-{view}" for view in VIEWS)):
        assert known in str(caught.value)
    assert repr(name) in str(caught.value)


def test_a_near_miss_is_named() -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'glm-4\.6-lite-t2-openai'\?"):
        settle("glm-4.6-lite-t2-openia")


# --- declarations


def test_the_keywords_of_functions_are_the_fields_of_the_arguments() -> None:
    hints = get_type_hints(ArgumentsDict)
    without_paths = {
        name: functools.reduce(operator.or_, [kind for kind in get_args(hint) if kind != os.PathLike[str]])
        if os.PathLike[str] in get_args(hint)
        else hint
        for name, hint in hints.items()
    }
    assert without_paths == get_type_hints(Arguments)
    assert list(hints) == list(ARGUMENTS)


def test_the_config_of_the_builder_has_every_argument_and_pickles() -> None:
    config = SeraSweZero(config_name="sera", upstream="sample", min_recall=0.5).config
    assert config == SeraSweZeroConfig(
        name="sera", version=config.version, description=config.description, upstream="sample", min_recall=0.5
    )
    assert config == pickle.loads(pickle.dumps(config))
    assert "min_recall=0.5" in repr(config)
    assert ARGUMENTS.keys() <= vars(config).keys()


# --- values

WRONG: dict[str, tuple[Any, ...]] = {
    **{name: ("", "no such", 5, True, ["a"], {}) for name, argument in ARGUMENTS.items() if argument.choices},
    "min_recall": (-0.1, 1.1, float("nan"), "0.5", True, []),
    "lineage": ("yes", 1),
    "upstream": ("", 5, ["a"]),
    "revision": (5, ["a"], True, {"repo": 5}),
    "max_tokens": (0, -1, 1.5, "5", True),
    "tokenizer": ("", 5),
    "chat_template": ("", 5),
    "min_kept_share": (-0.1, 1.1, "0.5", True),
    "context": (-1, 0.5, "5", True),
    "history": ("", 5, "last", "last-0-observations", "last-5-observation", "last-5-observations\n"),
    "messages_column": ("", 5),
    "tools": ("", 5),
    "dedup": ("", 5),
    "decontaminate": ("", 5),
    "shard_bytes": (0, -1, 1.5, "5", True),
    "shuffle_seed": (-1, 0.5, "5", True),
    "epoch": (-1, 0.5, "5", True),
}


def test_every_argument_has_wrong_values() -> None:
    assert set(WRONG) == set(ARGUMENTS)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_is_answered_with_what_would_be_right(name: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        settle(**{name: value})
    assert str(caught.value).startswith(f"{name}={value!r}; ")
    assert str(caught.value).endswith(" was expected")
    for choice in ARGUMENTS[name].choices:
        assert repr(choice) in str(caught.value)


@pytest.mark.parametrize("name", list(ARGUMENTS))
def test_none_stands_for_the_default(name: str) -> None:
    assert settle(**{name: None}) == settle()


def test_a_path_may_be_a_path_object(tmp_path: Path) -> None:
    assert settle(upstream=tmp_path) == settle(upstream=str(tmp_path))
    builders = [SeraSweZero(config_name="glm-4.6-lite-t2", upstream=root) for root in (ROOT, str(ROOT))]
    assert builders[0].cache_dir == builders[1].cache_dir


def test_an_unknown_argument_is_answered_with_the_known_ones() -> None:
    says = r"unknown argument veiw \(did you mean 'view'\?\); arguments are .*view, .*min_recall, .*shard_bytes"
    with pytest.raises(ConfigError, match=says):
        SeraSweZero(config_name="glm-4.6-lite-t2", upstream="sample", veiw="native")
    with pytest.raises(ConfigError, match=says):
        settle("sera", veiw="native")  # type: ignore[call-arg]


def test_a_config_error_is_a_value_error_and_ours() -> None:
    assert issubclass(ConfigError, ValueError)
    assert issubclass(ConfigError, SeraSweZeroError)


# --- pairs

RIGHT: dict[str, tuple[Any, ...]] = {
    "name": tuple(config_names()),
    **{name: tuple(argument.choices) for name, argument in ARGUMENTS.items()},
    "min_recall": (0.0, 0.5),
    "lineage": (True, False),
    "upstream": ("sample", "memory://mirror"),
    "revision": ("main", {"allenai/Sera-4.6-Lite-T2": "0" * 40}),
    "max_tokens": (4096,),
    "tokenizer": ("some/tokenizer",),
    "chat_template": ("qwen3_training",),
    "min_kept_share": (0.5,),
    "context": (1,),
    "history": ("full", "last-5-observations"),
    "messages_column": ("log",),
    "tools": (str(TOOLS),),
    "dedup": ("kept.parquet",),
    "decontaminate": ("swe-bench-verified",),
    "shard_bytes": (1, 1 << 30),
    "shuffle_seed": (0, 17),
    "epoch": (0, 1),
}
"""Right values of every argument."""

CLASHES: dict[tuple[str, str], tuple[dict[str, Any], str]] = {
    ("config", "view"): (
        {"name": "sera-openai", "view": "native"},
        "the config name already says the view 'openai'; leave view='native' out, or name the config 'sera'",
    ),
    ("view", "submit"): (
        {"view": "rectified", "submit": "call"},
        "the view 'rectified' has no submit='call'; it takes 'answer'",
    ),
    ("view", "datasets"): (
        {"view": "openai"},
        (
            "the view 'openai' holds objects, which datasets below 4.8 cannot; take view='hermes' or view='sharegpt', "
            "which every version reads, or install datasets>=4.8"
        ),
    ),
    ("view", "max_tokens"): (
        {"view": "native", "max_tokens": 5, "tokenizer": "x"},
        "the view 'native' is not for training and is never cut; max_tokens works with "
        + ", ".join(repr(name) for name, view in VIEWS.items() if view.trains),
    ),
    ("config", "upstream"): (
        {"name": "swe-agent"},
        (
            "'swe-agent' reads runs of your own; pass upstream= with a folder, an fsspec URL or "
            "hf://datasets/OWNER/NAME[@revision]"
        ),
    ),
    ("config", "messages_column"): (
        {"name": "sera", "messages_column": "log"},
        f"the rows of 'sera' already say what messages_column would; it is for {', '.join(CHATS)}",
    ),
    ("config", "tools"): (
        {"name": "sera", "tools": str(TOOLS)},
        f"the rows of 'sera' already say what tools would; it is for {', '.join(CHATS)}",
    ),
    ("config", "min_recall"): (
        {"name": "glm-4.6-lite-t1", "min_recall": 0.5},
        (
            "no row of 'glm-4.6-lite-t1' as narrowed has a line-level recall, so min_recall would drop them all; "
            "there are recalls in glm-4.5-air-full-t2, glm-4.6-lite-t2, sera, glm-4.5-air-lite-t2, "
            "glm-4.5-air-django-t2, glm-4.5-air-sympy-t2, glm-4.5-air-sphinx-t2, glm-4.6-lite-best, sera-all"
        ),
    ),
    ("config", "teacher"): (
        {"name": "glm-4.6-lite-t1", "teacher": "GLM-4.6"},
        "'glm-4.6-lite-t1' is one set; teacher is for a config of several: 'sera' or 'sera-all'",
    ),
    ("config", "scale"): (
        {"name": "glm-4.6-lite-t1", "scale": "lite"},
        "'glm-4.6-lite-t1' is one set; scale is for a config of several: 'sera' or 'sera-all'",
    ),
    ("config", "rollout"): (
        {"name": "swe-zero-12m", "rollout": "T1"},
        "'swe-zero-12m' is one set; rollout is for a config of several: 'sera' or 'sera-all'",
    ),
    ("config", "repeats"): (
        {"name": "glm-4.6-lite-best", "repeats": "keep"},
        "'glm-4.6-lite-best' is one set; repeats is for a config of several: 'sera' or 'sera-all'",
    ),
    ("teacher", "scale"): (
        {"teacher": "GLM-4.6", "scale": "full"},
        (
            "no set of 'sera' has teacher='GLM-4.6', scale='full'; its sets are GLM-4.5-Air, full, T1; "
            "GLM-4.5-Air, full, T2; GLM-4.6, lite, T1; GLM-4.6, lite, T2"
        ),
    ),
    ("max_tokens", "tokenizer"): (
        {"view": "hermes", "max_tokens": 5},
        "max_tokens=5 with tokenizer=None: each needs the other",
    ),
    ("overlong", "max_tokens"): (
        {"view": "hermes", "overlong": "drop"},
        "overlong='drop' says what happens to rows with more than max_tokens; pass max_tokens and tokenizer, too",
    ),
    ("chat_template", "max_tokens"): (
        {"view": "hermes", "chat_template": "qwen3_training"},
        "chat_template='qwen3_training' says how the tokens of a row are counted; pass max_tokens and tokenizer, too",
    ),
    ("min_kept_share", "overlong"): (
        {"view": "hermes", "max_tokens": 5, "tokenizer": "x", "min_kept_share": 0.5},
        'min_kept_share=0.5 is about what overlong="truncate" keeps; it was None',
    ),
    ("context", "overlong"): (
        {"view": "hermes", "max_tokens": 5, "tokenizer": "x", "overlong": "truncate", "context": 1},
        "context=1 is about the windows of overlong=\"split\"; overlong was 'truncate'",
    ),
    ("view", "context"): (
        {"view": "sharegpt", "max_tokens": 5, "tokenizer": "x", "overlong": "split", "context": 1},
        "the view 'sharegpt' cannot say that a turn is not trained; context works with 'hermes'",
    ),
    ("view", "overlong"): (
        {"view": "steps", "max_tokens": 5, "tokenizer": "x", "overlong": "split"},
        "a row of the view 'steps' is one turn, which overlong='split' cannot cut",
    ),
    ("view", "history"): (
        {"view": "hermes", "history": "last-5-observations"},
        "history='last-5-observations' would be wrong for all turns but one; it works with the view 'steps'",
    ),
    ("upstream", "revision"): (
        {"upstream": "sample", "revision": "main"},
        "upstream='sample' is read as it is and has no revisions; revision='main' works with the hub only",
    ),
}
"""Every pair that clashes: an example, and what is said about it."""


NOT_OF_TWO = {("view", "datasets"), ("view", "context"), ("view", "overlong")}
"""Clashes that two arguments alone do not show: another version of `datasets`, or arguments that need others."""


@pytest.mark.parametrize("pair", CLASHES)
def test_a_clash_says_what_to_ask_for_instead(pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    if pair == ("view", "datasets"):
        monkeypatch.setattr("sera_swezero.request.clashes.datasets_version", lambda: (4, 7))
    given, message = CLASHES[pair]
    with pytest.raises(ConfigError) as caught:
        settle(**given)
    assert str(caught.value) == message


FINE: list[dict[str, Any]] = [
    {"name": "sera-hermes", "view": "hermes"},
    {"view": "rectified", "submit": "answer"},
    *({"view": view, "submit": submit} for view in ("hermes", "sharegpt") for submit in ("call", "answer")),
    *({"name": f"{name}-hermes", "min_recall": 0.0} for name in sorted(T2)),
    {"min_recall": 1.0, "rollout": "T2"},
    {"min_recall": 1.0, "teacher": "GLM-4.6"},
    *({"teacher": teacher, "scale": scale} for teacher, scale in [("GLM-4.5-Air", "full"), ("GLM-4.6", "lite")]),
    *({"name": f"sera-{view}", "scale": "lite", "rollout": "T1"} for view in ("native", "sharegpt")),
    *({"view": view, "max_tokens": 5, "tokenizer": "x"} for view in ("hermes", "sharegpt")),
    {"view": "hermes", "max_tokens": 5, "tokenizer": "x", "overlong": "truncate", "min_kept_share": 0.88},
    {"view": "hermes", "max_tokens": 5, "tokenizer": "x", "overlong": "split", "context": 2},
    {"view": "sharegpt", "max_tokens": 5, "tokenizer": "x", "overlong": "split", "context": 0},
    *([{"view": "steps", "max_tokens": 5, "tokenizer": "x", "overlong": "drop", "history": "full"}] * JSON_LEAVES),
    {"upstream": "sample", "lineage": True},
    {"name": "swe-agent", "upstream": "hf://datasets/lab/runs", "revision": "main"},
    {"name": "sera", "upstream": "hf://datasets/lab/mirror"},
]
"""What must not be refused, close to each clash."""


@pytest.mark.parametrize("given", FINE, ids=str)
def test_what_is_near_a_clash_is_fine(given: dict[str, Any]) -> None:
    settle(**given)


def test_every_argument_has_right_values() -> None:
    assert set(RIGHT) == {"name", *ARGUMENTS}


def test_every_pair_of_arguments_works_or_is_a_known_clash() -> None:
    """A clash is known by the longest piece of its message that depends on no value."""
    phrases = {pair: max(re.split(r"'[^']*'|=\S+", message), key=len) for pair, (_, message) in CLASHES.items()}
    met: set[str] = set()
    for one, other in itertools.combinations(RIGHT, 2):
        for value, another in itertools.product(RIGHT[one], RIGHT[other]):
            try:
                settle(**{one: value, other: another})
            except ConfigError as error:
                met.add(str(error))
    known = [[pair for pair, phrase in phrases.items() if phrase in message] for message in met]
    assert all(len(pairs) == 1 for pairs in known)
    assert {pair for (pair,) in known} | NOT_OF_TWO == CLASHES.keys()


def test_narrowing_keeps_the_origins_that_fit() -> None:
    assert [origin.repo for origin in settle("sera", teacher="GLM-4.6", rollout="T2").origins] == [
        "allenai/Sera-4.6-Lite-T2"
    ]
    assert len(settle("sera", scale="full").origins) == 2
    assert len(settle("sera").origins) == 4
