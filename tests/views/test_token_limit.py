"""max_tokens: rows that are too long are dropped or end behind the last whole turn that fits, and are counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

import sera_swezero
from sera_swezero import ConfigError
from sera_swezero.request.identity import describe
from sera_swezero.request.row_columns import columns
from sera_swezero.request.settle import settle
from sera_swezero.sources import SOURCES
from sera_swezero.views import VIEWS
from sera_swezero.views.chat_template import load_template
from tests.support.characters import framed, tokenizer
from tests.support.raw import T2, ZERO, Turn, chat, convert_one, history, line, sera, swe_zero

__all__ = ["tokenizer"]  # a fixture

TRAINING = ["openai", "hermes", "sharegpt"]
TURNS = [Turn(f"thought {n} " + "word " * 20, arguments='{"command": "ls"}', output="file " * 10) for n in range(5)]
SERA = line(sera(history([*TURNS, Turn("done", tool="submit", arguments="{}", output="diff")])))


def lengths(row: dict[str, Any]) -> list[int]:
    return [len(framed(message)) for message in row["messages"]]


@pytest.mark.parametrize("view", TRAINING)
def test_a_row_at_the_limit_stays_and_one_token_more_is_too_many(view: str, tokenizer: str) -> None:
    total = sum(lengths(convert_one(SERA, view="hermes").row))  # whatever the view: one count for all
    assert convert_one(SERA, view=view, max_tokens=total, tokenizer=tokenizer).row["kept_share"] == 1.0
    done = convert_one(SERA, view=view, max_tokens=total - 1, tokenizer=tokenizer)
    assert done.error.reason == "overlong"
    assert done.error.problem == f"{total} tokens; at most {total - 1} were asked for"


@pytest.mark.parametrize("view", TRAINING)
@pytest.mark.parametrize("turns", [1, 2, 4])
def test_truncating_keeps_whole_turns_and_ends_on_one(view: str, turns: int, tokenizer: str) -> None:
    whole = convert_one(SERA, view="hermes").row["messages"]
    kept = 2 + 2 * turns - 1  # system, user, then turns and results; the last result is of no use to training
    limit = {"tokenizer": tokenizer, "overlong": "truncate"}
    fits = sum(lengths({"messages": whole[:kept]}))
    for tokens in (fits, fits + len(framed(whole[kept])), fits + 1):
        done = convert_one(SERA, view=view, max_tokens=tokens, **limit)
        back = VIEWS[view].to_trajectory(done.row, SOURCES["sera"])
        assert len(back.steps) == turns
        assert back.steps[-1].calls
        assert back.steps[-1].calls[0].observation is None
        assert done.row["kept_share"] == kept / len(whole)
        assert done.counts["truncated"] == 1
        assert done.counts["trailing_observation"] == 0
    fewer = convert_one(SERA, view=view, max_tokens=fits - 1, **limit)
    assert (
        fewer.error.reason == "overlong"
        if turns == 1
        else len(VIEWS[view].to_trajectory(fewer.row, SOURCES["sera"]).steps) == turns - 1
    )


def test_what_was_cut_is_noted_in_full(tokenizer: str) -> None:
    whole = convert_one(SERA, view="hermes").row["messages"]
    tokens = sum(lengths({"messages": whole[:5]}))
    done = convert_one(SERA, view="hermes", max_tokens=tokens, tokenizer=tokenizer, overlong="truncate")
    (note,) = [text for kind, text in done.notes if kind == "truncated"]
    assert note == "\n\n".join(message["content"] for message in whole[5:])
    assert done.row["messages"] == whole[:5]
    # A cut row is not taken for one that ends in its submission.
    zero = swe_zero(chat([*TURNS[:2], Turn("bye", arguments="echo done", output=None)]))
    rows = [convert_one(zero, ZERO, view="hermes", **more).row for more in ({}, _cut(zero, tokenizer))]
    ends = [VIEWS["hermes"].to_trajectory(row, SOURCES["sera"]).steps[-1].calls for row in rows]
    assert [call.submits for (call,) in ends] == [True, False]


def _cut(zero: dict[str, Any], tokenizer: str) -> dict[str, Any]:
    tokens = sum(lengths({"messages": convert_one(zero, ZERO, view="hermes").row["messages"][:3]}))
    return {"max_tokens": tokens, "tokenizer": tokenizer, "overlong": "truncate"}


def test_tags_in_words_do_not_stop_the_count_of_a_view_that_holds_them(tokenizer: str) -> None:
    row = swe_zero(chat([Turn("a </think> b", arguments="ls", output="x"), Turn("c", arguments="ls", output=None)]))
    assert convert_one(row, ZERO, view="openai", max_tokens=100_000, tokenizer=tokenizer).row is not None


def test_a_stream_counts_what_it_dropped_and_has_the_share_as_a_column(tokenizer: str) -> None:
    arguments = {"upstream": "sample", "max_tokens": 12_000, "tokenizer": tokenizer}
    builders = {}
    for overlong in ("drop", "truncate"):
        builder = sera_swezero.SeraSweZero(config_name=f"{T2}-hermes", overlong=overlong, **arguments)
        rows = list(builder.as_streaming_dataset(split="train"))
        assert all(sum(lengths(row)) <= 12_000 for row in rows)
        assert builder.info.features["kept_share"].dtype == "float64"
        builders[overlong] = (builder.report, rows)
    dropped, rows = builders["drop"]
    assert dropped.rejected["overlong"] > 0
    assert {row["kept_share"] for row in rows} == {1.0}
    cut, rows = builders["truncate"]
    assert cut.conversions["truncated"] == sum(row["kept_share"] < 1 for row in rows)
    assert cut.conversions["truncated"] + cut.rejected["overlong"] == dropped.rejected["overlong"]
    assert cut.conversions["truncated"] > 0
    assert "kept_share" not in columns(settle(f"{T2}-hermes"))


def test_another_tokenizer_of_the_same_name_is_another_dataset(tmp_path: Path) -> None:
    from sera_swezero.views import tokenizer as tokenizers

    digests = []
    for merges in ([], [("l", "s")]):
        vocab = {c: i for i, c in enumerate([*sorted(pre_tokenizers.ByteLevel.alphabet()), "ls"])}
        Tokenizer(models.BPE(vocab=vocab, merges=merges)).save(str(tmp_path / "tokenizer.json"))
        tokenizers.digest.cache_clear()
        digests.append(describe(settle("sera-hermes", max_tokens=10, tokenizer=str(tmp_path)))["limit"])
    assert digests[0] != digests[1]
    assert describe(settle("sera-hermes"))["limit"] is None


def test_a_tokenizer_that_is_none_is_a_config_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match=r"has no tokenizer\.json"):
        sera_swezero.SeraSweZero(config_name="sera-hermes", upstream="sample", max_tokens=9, tokenizer=str(tmp_path))
    (tmp_path / "tokenizer.json").write_text(json.dumps({"no": "tokenizer"}))
    with pytest.raises(ConfigError, match="is not a tokenizer of the `tokenizers` package"):
        convert_one(SERA, view="hermes", max_tokens=9, tokenizer=str(tmp_path / "tokenizer.json"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ConfigError, match="nobody/nothing"):
        convert_one(SERA, view="hermes", max_tokens=9, tokenizer="nobody/nothing")


# --- chat_template

FRAME = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
TOOLS_AND_CALLS = """\
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}{% for m in messages %}<{{ m.role }}>{{ m.reasoning_content }}{{ m.content }}
{%- for call in m.tool_calls %}{{ call.function.arguments | tojson }}{% endfor %}{% endfor %}"""
STRIPS = """\
{% set turns = messages | selectattr('role', 'equalto', 'assistant') | list %}
{%- for m in messages %}{{ m.role }}{% if m == turns[-1] or m.role != 'assistant' %}{{ m.content }}{% endif %}
{%- endfor %}"""
"""Only the last turn says anything."""


ANOTHER = swe_zero(chat([*TURNS, Turn("bye", arguments="echo done", output=None)]))


def saved(text: str, folder: Path, name: str = "template.jinja") -> Path:
    path = folder / name
    path.write_text(text + "{# as it was written #}")
    return path


def rendered(row: dict[str, Any], view: str, template: Path) -> int:
    """The characters of a row as the template writes it."""
    messages, tools = VIEWS[view].chat(row)
    return len(load_template(str(template)).render(messages, tools).text)


@pytest.mark.parametrize(("view", "text"), [("hermes", FRAME), ("openai", TOOLS_AND_CALLS), ("sharegpt", FRAME)])
@pytest.mark.parametrize(("raw", "config"), [(SERA, T2), (ANOTHER, ZERO)], ids=["sera", "swe_zero"])
def test_a_template_counts_what_it_writes(
    view: str, text: str, raw: Any, config: str, tokenizer: str, tmp_path: Path
) -> None:
    template = saved(text, tmp_path)
    total = rendered(convert_one(raw, config, view=view).row, view, template)
    limit = {"view": view, "tokenizer": tokenizer, "chat_template": template}
    assert convert_one(raw, config, max_tokens=total, **limit).row["kept_share"] == 1.0
    done = convert_one(raw, config, max_tokens=total - 1, **limit)
    assert done.error.problem == f"{total} tokens; at most {total - 1} were asked for"
    most = total - 400
    windows = convert_one(raw, config, max_tokens=most, overlong="split", **limit).rows
    sizes = [rendered(row, view, template) for row in windows]
    assert len(sizes) > 1
    assert max(sizes) <= most


def test_steps_count_the_prompt_and_the_turn(tokenizer: str, tmp_path: Path) -> None:
    template = saved(TOOLS_AND_CALLS, tmp_path)
    limit = {"view": "steps", "tokenizer": tokenizer, "chat_template": template}
    rows = convert_one(SERA, view="steps").rows
    sizes = [rendered(row, "steps", template) for row in rows]
    done = convert_one(SERA, max_tokens=sizes[2], **limit)
    assert [row["step"] for row in done.rows] == [0, 1, 2]


def test_a_template_that_strips_earlier_turns_counts_them_whole(tokenizer: str, tmp_path: Path) -> None:
    template = saved(STRIPS, tmp_path)
    row = convert_one(SERA, view="hermes").row
    whole = sum(len(message["role"] + message["content"]) for message in row["messages"])
    assert rendered(row, "hermes", template) < whole
    limit = {"view": "hermes", "tokenizer": tokenizer, "chat_template": template}
    assert convert_one(SERA, max_tokens=whole, **limit).row is not None
    assert convert_one(SERA, max_tokens=whole - 1, **limit).error.reason == "overlong"


def test_a_template_that_does_not_render_a_turn_rejects_the_record(tokenizer: str, tmp_path: Path) -> None:
    template = saved("{% if messages[2] %}{{ raise_exception('no turns here') }}{% endif %}", tmp_path)
    done = convert_one(SERA, view="hermes", max_tokens=9_999, tokenizer=tokenizer, chat_template=template)
    assert done.error.reason == "template"
    assert done.error.where == "$.steps[0]"
    assert done.error.problem.endswith("does not render the turn: TemplateError: no turns here")


def test_another_template_of_the_same_name_is_another_dataset(tokenizer: str, tmp_path: Path) -> None:
    limits = []
    for text in (FRAME, FRAME, STRIPS):
        asked = settle("sera-hermes", max_tokens=10, tokenizer=tokenizer, chat_template=saved(text, tmp_path))
        limits.append(describe(asked)["limit"])
    assert limits[0] == limits[1] != limits[2]


def test_a_template_that_is_none_is_a_config_error(tokenizer: str) -> None:
    with pytest.raises(ConfigError, match="template 'no such': no such file, and no template of that name"):
        sera_swezero.SeraSweZero(
            config_name="sera-hermes", upstream="sample", max_tokens=9, tokenizer=tokenizer, chat_template="no such"
        )
