"""What may be asked of a config: every name, every wrong value, and every pair of arguments."""

from __future__ import annotations

import inspect
import itertools
import re
from typing import Any

import datasets
import pytest

from sera_swezero import SeraSweZero
from sera_swezero.catalog import CONFIGS, DEFAULT
from sera_swezero.errors import ConfigError, SeraSweZeroError
from sera_swezero.request.arguments import CHOICES, CLASHES, Clash
from sera_swezero.request.config_names import config_names, split_name
from sera_swezero.request.settle import settle
from sera_swezero.views import VIEWS

JSON_LEAVES = tuple(int(part) for part in datasets.__version__.split(".")[:2]) >= (4, 8)

NAMES = {
    "glm-4.5-air-full-t1", "glm-4.5-air-full-t2", "glm-4.6-lite-t1", "glm-4.6-lite-t2",
    "sera", "swe-zero-1k-32k", "swe-zero-1k-8k", "swe-zero-12m",
}  # fmt: skip
T2 = {"glm-4.5-air-full-t2", "glm-4.6-lite-t2", "sera"}


def holds_json(view: str) -> bool:
    return VIEWS[view].has_json_leaves and not JSON_LEAVES


# --- names


def test_the_configs_are_the_designs() -> None:
    assert set(CONFIGS) == NAMES
    assert DEFAULT == "sera"
    assert {name for name, config in CONFIGS.items() if config.default_view == "native"} == {
        name for name in NAMES if name.startswith("swe-zero")
    }
    assert CONFIGS["sera"].rows == 211_363
    assert CONFIGS["swe-zero-12m"].rows == 12_290_800


@pytest.mark.parametrize("name", config_names())
def test_every_name_is_a_config_in_a_view(name: str) -> None:
    base, view = split_name(name)
    assert base in NAMES
    assert name in (base, f"{base}-{view}")
    shown = view or CONFIGS[base].default_view
    if holds_json(shown):
        return
    asked = settle(name)
    assert (asked.config.name, asked.view.name) == (base, shown)
    # The default view's own name behind a config is an alias of the plain name; the published name has it not.
    assert asked.name == (base if shown == CONFIGS[base].default_view else f"{base}-{shown}")
    assert asked.incomplete == (
        "reject" if base in NAMES - {"swe-zero-1k-32k", "swe-zero-1k-8k", "swe-zero-12m"} else "keep"
    )
    assert asked.on_error == "skip"
    assert asked == settle(base, view=view)


def test_there_are_as_many_names_as_configs_and_views() -> None:
    assert len(config_names()) == len(set(config_names())) == len(NAMES) * (1 + len(VIEWS))


def test_no_name_is_the_default() -> None:
    assert settle() == settle(DEFAULT)


@pytest.mark.parametrize(
    "name", ["", "Sera", "sera-", "sera-xml", "glm-4.6-lite-t3", "sera-openai-openai", "-openai", "swe-zero"]
)
def test_an_unknown_name_is_told_what_there_is(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settle(name)
    for known in (*CONFIGS, *(f"-{view}" for view in VIEWS)):
        assert known in str(caught.value)
    assert repr(name) in str(caught.value)


def test_a_near_miss_is_named() -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'glm-4\.6-lite-t2-openai'\?"):
        settle("glm-4.6-lite-t2-openia")


# --- values

WRONG: dict[str, tuple[Any, ...]] = {
    **{name: ("", "no such", 5, True, ["a"], {}) for name in CHOICES},
    "min_recall": (-0.1, 1.1, float("nan"), "0.5", True, []),
    "lineage": ("yes", 1, None),
    "upstream": ("", 5, ["a"]),
    "revision": (5, ["a"], True),
    "max_tokens": (0, -1, 1.5, "5", True),
    "tokenizer": ("", 5),
    "dedup": ("", 5),
    "decontaminate": ("", 5),
    "shard_bytes": (0, -1, 1.5, "5", True),
}


def ask(argument: str, value: Any) -> None:
    """Ask with one argument; those that decide no rows are the builder's."""
    if argument in ARGUMENTS:
        settle(**{argument: value})
    else:
        SeraSweZero(config_name="glm-4.6-lite-t2", upstream="sample", **{argument: value})


@pytest.mark.parametrize(("argument", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_value_is_told_what_would_be_right(argument: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        ask(argument, value)
    assert str(caught.value).startswith(f"{argument}={value!r}; ")
    for choice in CHOICES.get(argument, ()):
        assert repr(choice) in str(caught.value)


def test_an_unknown_argument_is_told_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"unknown argument veiw; arguments are .*view, .*min_recall, .*shard_bytes"):
        SeraSweZero(config_name="glm-4.6-lite-t2", upstream="sample", veiw="native")
    with pytest.raises(TypeError, match="veiw"):
        settle("sera", veiw="native")  # type: ignore[call-arg]


@pytest.mark.parametrize("argument", ["data_dir", "data_files"])
def test_arguments_of_other_builders_are_told_what_to_use_instead(argument: str) -> None:
    with pytest.raises(ConfigError, match="upstream="):
        SeraSweZero(config_name="glm-4.6-lite-t2", upstream="sample", **{argument: "x"})


def test_a_config_error_is_a_value_error_and_ours() -> None:
    assert issubclass(ConfigError, ValueError)
    assert issubclass(ConfigError, SeraSweZeroError)


# --- pairs

ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "name": config_names(),
    "view": tuple(VIEWS),
    "submit": CHOICES["submit"],
    "incomplete": CHOICES["incomplete"],
    "on_error": CHOICES["on_error"],
    "teacher": CHOICES["teacher"],
    "scale": CHOICES["scale"],
    "rollout": CHOICES["rollout"],
    "min_recall": (0.0, 0.5),
    "lineage": (True, False),
    "upstream": ("sample", "memory://mirror"),
    "revision": ("main", {"allenai/Sera-4.6-Lite-T2": "0" * 40}),
    "max_tokens": (4096,),
    "tokenizer": ("some/tokenizer",),
    "overlong": CHOICES["overlong"],
    "dedup": ("kept.parquet",),
    "decontaminate": ("swe-bench-verified",),
}
"""Sample values of every argument of `request`."""


def senseless(given: dict[str, Any]) -> bool:
    """Whether these arguments make no sense together: the rules, sentence by sentence."""
    name, suffix = split_name(given.get("name") or DEFAULT)
    view = given.get("view") or suffix or CONFIGS[name].default_view
    submit, least, limit = given.get("submit"), given.get("min_recall"), given.get("max_tokens")
    narrowed = any(given.get(key) for key in ("teacher", "scale", "rollout"))
    return any(
        [
            # a suffix and a different view= together
            suffix and given.get("view") not in (None, suffix),
            # rectified and native with submit="call"; native has no way of submitting at all
            submit and (view == "native" or (view == "rectified" and submit == "call")),
            # teacher, scale, rollout outside `sera`, and a scale that the teacher has not
            narrowed and name != "sera",
            (given.get("teacher"), given.get("scale")) in (("GLM-4.5-Air", "lite"), ("GLM-4.6", "full")),
            # min_recall on a config without recalls
            least is not None and (name not in T2 or given.get("rollout") == "T1"),
            # upstream= is read as it is and has no revisions
            given.get("upstream") and given.get("revision"),
            # a limit needs its tokenizer, and both a view to train on; what becomes of longer rows needs a limit
            (limit is None) != (given.get("tokenizer") is None) or (limit and view in ("rectified", "native")),
            given.get("overlong") and limit is None,
            # a view with Json leaves below datasets 4.8
            holds_json(view),
        ]
    )


PAIRS = list(itertools.combinations(ARGUMENTS, 2))


def test_every_argument_has_sample_values() -> None:
    assert set(inspect.signature(settle).parameters) == set(ARGUMENTS)


def clash_of(given: dict[str, Any]) -> Clash | None:
    """The row of the table whose message `request` gives; None where it takes the arguments."""
    try:
        settle(**given)
    except ConfigError as error:
        heads = [(max(re.split(r"\{.*?\}", clash.says), key=len), clash) for clash in CLASHES]
        return next(clash for head, clash in heads if head in str(error))
    return None


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_every_pair_of_arguments_works_or_is_a_clash(one: str, other: str) -> None:
    for value, another in itertools.product(ARGUMENTS[one], ARGUMENTS[other]):
        given = {one: value, other: another}
        assert (clash_of(given) is not None) == senseless(given), given


def test_no_row_of_the_table_is_dead() -> None:
    together: list[dict[str, Any]] = [
        {"name": "sera-openai", "view": "native"},
        {"view": "rectified", "submit": "call"},
        {"name": "glm-4.6-lite-t1", "min_recall": 0.5},
        *({"name": "glm-4.6-lite-t1", key: CHOICES[key][0]} for key in ("teacher", "scale", "rollout")),
        {"teacher": "GLM-4.6", "scale": "full"},
        {"view": "native", "max_tokens": 5, "tokenizer": "x"},
        {"view": "hermes", "max_tokens": 5},
        {"view": "hermes", "overlong": "drop"},
        {"upstream": "sample", "revision": "main"},
        *([] if JSON_LEAVES else [{"view": "openai"}]),
    ]
    met = [clash_of(given) for given in together]
    assert met == [clash for clash in CLASHES if clash.pair != ("view", "datasets")] + met[11:]


def test_narrowing_keeps_the_origins_that_fit() -> None:
    assert [origin.repo for origin in settle("sera", teacher="GLM-4.6", rollout="T2").origins] == [
        "allenai/Sera-4.6-Lite-T2"
    ]
    assert len(settle("sera", scale="full").origins) == 2
    assert len(settle("sera").origins) == 4
