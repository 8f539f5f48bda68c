"""What is in the rows: every figure against a plan that was made before the rows, in one pass, mergeable."""

from __future__ import annotations

import itertools
import json
import random
import re
import statistics
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
import msgspec
import pytest
from huggingface_hub import HfFileSystem
from hypothesis import given
from hypothesis import strategies as st

from sera_swezero.build.figures import RECALL_BINS
from sera_swezero.build.runner import build
from sera_swezero.errors import ConfigError, UpstreamError
from sera_swezero.quality import Tally, collect, open_rows
from sera_swezero.quality.page import page
from sera_swezero.quality.plots import plots, svg
from sera_swezero.quality.spread import QUANTILES, Distribution
from sera_swezero.quality.statistics_tables import compare, tables
from sera_swezero.rows import iter_rows
from sera_swezero.sample import ROOT
from sera_swezero.version import __version__
from tests.hub import LoopbackHub
from tests.quality import minhash_definition as definition
from tests.support.characters import tokenizer
from tests.support.planted import ZERO, Rollout, rollouts, write_zero
from tests.support.processes import HERE, inside
from tests.support.raw import DIFF, REVIEW, T2, Turn, history, line, sera, write_lines
from tests.support.streams import Point, point

__all__ = ["point", "tokenizer"]  # fixtures


def stats(target: str, **arguments: Any) -> Any:
    unique = arguments.pop("unique", None)
    return collect(open_rows(target, **arguments), unique=unique)


def one(target: str, **arguments: Any) -> Tally:
    (tally,) = stats(target, **arguments).sets.values()
    return tally


# Numbers spread over rows.


def nearest(values: Sequence[float], share: float) -> float:
    """The least value that this share of all does not exceed, by sorting."""
    ordered = sorted(values)
    return next(value for at, value in enumerate(ordered, 1) if at >= share * len(ordered))


def agrees(spread: Distribution, values: Sequence[float], exact: bool = True) -> None:
    figures = spread.figures()
    assert (spread.rows, figures["min"], figures["max"]) == (len(values), min(values), max(values))
    assert figures["mean"] == pytest.approx(statistics.fmean(values), rel=1e-12)
    assert figures["total"] == pytest.approx(sum(values), rel=1e-12)
    for share in QUANTILES:
        expected, found = nearest(values, share), spread.quantile(share)
        assert found is not None
        assert found == expected if exact else expected * (1 - 1 / 1024) - 0.001 <= found <= expected


@given(st.lists(st.integers(0, 2047), min_size=1, max_size=300))
def test_a_spread_of_small_numbers_is_exact(values: list[int]) -> None:
    spread = Distribution()
    for value in values:
        spread.note(value)
    agrees(spread, values)


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=200), st.lists(st.integers(0, 3000), max_size=50))
def test_a_spread_of_large_numbers_is_exact_but_for_quantiles(left: list[int], right: list[int]) -> None:
    whole, parts = Distribution(), (Distribution(), Distribution())
    for value in left + right:
        whole.note(value)
    for part, values in zip(parts, (right, left), strict=True):
        for value in values:
            part.note(value)
    agrees(whole, left + right, exact=False)
    parts[0].add(parts[1])
    assert parts[0] == whole, "the parts, in the other order, are not the whole"


def test_a_spread_keeps_no_more_than_it_needs() -> None:
    dice = random.Random(1)
    spread = Distribution(scale=1000)
    for _ in range(50_000):
        spread.note(dice.uniform(0, 400))
    assert len(spread.counts) < 12_000
    assert Distribution().figures() == {"rows": 0}
    assert Distribution().mean is None
    assert Distribution().quantile(0.5) is None


# SWE-ZERO's card.


@pytest.fixture(scope="module")
def plan() -> list[Rollout]:
    made = rollouts(200)
    # A tenth have the commands of an earlier one: of another instance, and of the same, in turn.
    for at in range(14, 200, 10):
        source = made[at - 1 if at % 20 == 4 else at // 2]
        made[at] = Rollout(made[at].instance, "incomplete", source.commands, 7, 8, 9.0)
    return made


@pytest.fixture(scope="module")
def zero_root(plan: list[Rollout], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("zero")
    write_zero(root, [row.raw() for row in plan], files=3)
    return root


def check_plan(tally: Tally, plan: list[Rollout]) -> None:
    """Every figure of the SWE-ZERO card, from the plan."""
    assert (tally.source, tally.view, tally.rows) == ("swe_zero", "native", len(plan))
    assert tally.outcomes == Counter(row.status for row in plan)
    agrees(tally.turns, [len(row.commands) for row in plan])
    calls = [[c for c in row.commands if c is not None] for row in plan]
    agrees(tally.calls, [len(commands) for commands in calls])
    assert tally.tools == {"bash": sum(map(len, calls))}
    agrees(tally.prompt_tokens, [row.prompt for row in plan], exact=False)
    agrees(tally.completion_tokens, [row.completion for row in plan], exact=False)
    agrees(tally.duration_sec, [row.seconds for row in plan], exact=False)
    assert tally.bare_turns == sum(command is None for row in plan for command in row.commands)
    assert tally.bare_rows == sum(None in row.commands for row in plan)
    raw = [row.raw()["messages"] for row in plan]
    agrees(tally.messages, [len(messages) for messages in raw])
    agrees(tally.characters, [sum(len(m["content"]) for m in messages) for messages in raw], exact=False)
    characters = Counter[str]()
    for message in (m for messages in raw for m in messages):
        characters[message["role"]] += len(message["content"])
    assert tally.roles == characters
    assert tally.unique is not None
    texts = ["\n".join(commands) for commands in calls]
    assert tally.unique.corpus == len(definition.kept(texts))
    by_instance: dict[str, list[str]] = {}
    for row, text in zip(plan, texts, strict=True):
        by_instance.setdefault(row.instance, []).append(text)
    assert tally.unique.instance == sum(len(definition.kept(group)) for group in by_instance.values())
    assert tally.unique.corpus < tally.unique.instance < len(plan)


def test_every_figure_of_the_swe_zero_card_is_the_planned_one(zero_root: Path, plan: list[Rollout]) -> None:
    tally = one(ZERO, upstream=str(zero_root))
    check_plan(tally, plan)
    assert tally.records is not None
    assert (tally.records.rows_in, tally.records.rows_out) == (200, 200)
    assert (tally.no_recall, tally.recall, tally.overlap) == (200, [], {})


def test_a_folder_of_the_same_rows_says_the_same(zero_root: Path, plan: list[Rollout]) -> None:
    (folder,) = zero_root.glob("*/*")
    tally = one(str(folder))
    check_plan(tally, plan)
    assert tally.records is None, "nothing says what the rows were made from"


def test_parts_add_up_in_any_order(plan: list[Rollout], tmp_path: Path) -> None:
    tallies = []
    for at, part in enumerate((plan[:80], plan[80:])):
        write_zero(tmp_path / str(at), [row.raw() for row in part])
        tallies.append(one(ZERO, upstream=str(tmp_path / str(at)), unique=False))
    write_zero(tmp_path / "all", [row.raw() for row in plan])
    whole = one(ZERO, upstream=str(tmp_path / "all"), unique=False)
    for first, second in (tallies, reversed(tallies)):
        total, other = (msgspec.json.decode(msgspec.json.encode(tally), type=Tally) for tally in (first, second))
        total.add(other)
        assert total == whole


def test_rectified_rows_tell_what_they_can(zero_root: Path, plan: list[Rollout]) -> None:
    tally = one(f"{ZERO}-rectified", upstream=str(zero_root))
    assert tally.outcomes == Counter(row.status for row in plan)
    agrees(tally.turns, [len(row.commands) for row in plan])
    submitted = [row.status == "submitted" for row in plan]
    calls = [sum(c is not None for c in row.commands) - done for row, done in zip(plan, submitted, strict=True)]
    agrees(tally.calls, calls)
    assert tally.bare_turns is None, "such turns are folded away, so they cannot be counted"
    agrees(tally.completion_tokens, [row.completion for row in plan], exact=False)


# SERA's card.

EDITS = {"view": 3, "create": 2, "str_replace": 1, "insert": 1, "undo_edit": 1}


def sera_turns(dice: random.Random) -> list[Turn]:
    """Some calls of every kind, then a submit, its review, a clean-up and the submit that ends it."""
    turns = []
    for _ in range(dice.randrange(1, 9)):
        if dice.random() < 0.5:
            turns.append(Turn("I look.", "", "bash", json.dumps({"command": f"cat {dice.randrange(99)}.py"})))
        else:
            arguments = {"command": dice.choices([*EDITS], EDITS.values())[0], "path": "/testbed/calc.py"}
            turns.append(Turn("I edit.", "", "str_replace_editor", json.dumps(arguments)))
    clean = Turn("I clean up.", "", "bash", '{"command": "rm -f try.py"}')
    return [
        *turns,
        Turn("Ready.", "The fix is in.", "submit", "{}", REVIEW),
        clean,
        Turn("Again.", "", "submit", "{}", DIFF),
    ]


def test_every_figure_of_the_sera_card_is_the_planned_one(tmp_path: Path) -> None:
    dice = random.Random(3)
    calls, tools, editor, recalls, rows = [], Counter[str](), Counter[str](), [], []
    for number in range(120):
        turns = sera_turns(dice)
        kept = [turn for turn in turns if turn.tool != "submit"]
        calls.append(len(kept))
        for turn in kept:
            tools[str(turn.tool)] += 1
            if turn.tool == "str_replace_editor":
                editor[json.loads(turn.arguments)["command"]] += 1
        found = number % 21  # of 20 lines, so every edge of every bin is met; 20 of 20 in the last
        target = "".join(f"+line {at}\n" for at in range(20))
        rollout = "".join(f"+line {at}\n" for at in range(found))
        if number % 7 == 0:
            target = ""
        else:
            recalls.append(found)
        rows.append(
            sera(history(turns), target_patch=target, rollout_patch=rollout, instance_id=f"calc_{10000 + number}")
        )
    unsubmitted = sera(history([Turn()]))
    write_lines(tmp_path, T2, *map(line, [*rows, unsubmitted, unsubmitted]), b"{broken\n")

    tally = one(T2, upstream=str(tmp_path))

    assert (tally.rows, tally.outcomes) == (120, {"submitted": 120})
    assert tally.facts == {"teacher": "GLM-4.6", "scale": "lite", "rollout": "T2"}
    agrees(tally.calls, calls)
    agrees(tally.messages, [4 + 3 * count for count in calls])
    agrees(tally.turns, [count + 1 for count in calls])
    assert tally.tools == tools
    assert tally.editor == editor
    assert tally.no_recall == 120 - len(recalls)
    bins = Counter(min(found, RECALL_BINS - 1) for found in recalls)
    assert tally.recall == [bins[at] for at in range(RECALL_BINS)]
    assert tally.recalled_from == {
        "0.25": sum(found >= 5 for found in recalls),
        "0.5": sum(found >= 10 for found in recalls),
        "0.75": sum(found >= 15 for found in recalls),
        "0.9": sum(found >= 18 for found in recalls),
        "1.0": sum(found == 20 for found in recalls),
    }
    assert tally.records is not None
    assert (tally.records.rows_in, tally.records.rows_out) == (123, 120)
    assert tally.records.rejected == {"no_submission": 2, "not_json": 1}
    assert tally.conversions == {
        "folded_submit": 120,
        "dropped_review": 240,
        "answer_from_folded": 120,
        "observation_prefix": sum(calls) + 240,
    }
    assert set(tally.roles) == {"system", "user", "reasoning", "tool_call", "tool_output", "answer"}


# The embedded sample.


@pytest.mark.parametrize("config", ["sera", "sera-native", ZERO, f"{ZERO}-rectified", "swe-zero-12m"])
def test_a_built_directory_says_what_the_config_does(tmp_path: Path, config: str) -> None:
    build([config], tmp_path, upstream="sample", workers=1)
    read, built = stats(config, upstream="sample"), stats(str(tmp_path))
    assert [*built.sets.values()] == [*read.sets.values()]


def test_a_file_of_many_sets_is_told_apart_by_its_columns(tmp_path: Path) -> None:
    """The card's own data.parquet: all four sets in one file, without a folder's name to go by."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    build(["sera"], tmp_path / "built", upstream="sample", workers=1)
    parts = [pq.read_table(path) for path in sorted((tmp_path / "built").glob("glm*/*.parquet"))]
    (tmp_path / "card").mkdir()
    pq.write_table(
        pa.concat_tables(part.replace_schema_metadata() for part in parts), tmp_path / "card" / "data.parquet"
    )
    found = stats(str(tmp_path / "card")).sets
    assert [tally.rows for tally in found.values()] == [part.num_rows for part in parts]
    assert list(found) == ["glm-4.5-air-full-t1", "glm-4.5-air-full-t2", "glm-4.6-lite-t1", "glm-4.6-lite-t2"]
    assert {(tally.facts["teacher"], tally.facts["rollout"]) for tally in found.values()} == {
        (teacher, rollout) for teacher in ("GLM-4.5-Air", "GLM-4.6") for rollout in ("T1", "T2")
    }


def test_the_comparison_is_made_of_both_sets() -> None:
    left, right = (stats(config, upstream="sample") for config in ("swe-zero-1k-8k", ZERO))
    table = compare(left, right)
    lines = {name: (one_, other) for name, one_, other in table.rows}
    assert table.header == ["", "swe-zero-1k-8k", "swe-zero-1k-32k"]
    assert lines["rollouts"] == (str(left.total.rows), str(right.total.rows))
    done = right.total.outcomes["submitted"]
    assert lines["submitted"][1] == f"{done} ({done / right.total.rows:.1%})"
    assert lines["mean turns"][0] == f"{left.total.turns.mean:.1f}"
    assert "wall time, context budget, hardware" in table.note
    assert list(lines)[-2:] == ["unique corpus-wide", "unique within their instance"]


def test_the_documentation_shows_what_the_commands_say() -> None:
    text = (HERE / "docs" / "statistics.md").read_text(encoding="utf-8")
    assert tables(stats("sera", upstream="sample"))[0].markdown() in text
    both = [stats(config, upstream="sample") for config in ("swe-zero-1k-8k", ZERO)]
    assert tables(both[0], both[1])[0].markdown() in text


def test_the_page_names_the_commit_of_its_rows(hub: LoopbackHub, point: Point) -> None:
    commit = hub.add_dataset("allenai/Sera-4.6-Lite-T2", ROOT / "allenai/Sera-4.6-Lite-T2")
    point(hub)
    assert f"Rows of allenai/Sera-4.6-Lite-T2 at commit {commit}." in page(stats("glm-4.6-lite-t2"))


def test_lengths_are_drawn_over_bins_that_grow_by_one_factor() -> None:
    spread = Distribution()
    for value in (0, 3, 100, 110, 120, 999_999):
        spread.note(value)
    figures = stats("glm-4.6-lite-t2", upstream="sample")
    figures.total.characters = spread
    (plot,) = (one_ for one_ in plots(figures) if one_.name == "characters")
    factors = [after / before for before, after in itertools.pairwise(plot.edges)]
    assert plot.logarithmic
    assert factors == pytest.approx([factors[0]] * len(factors))
    bins = list(plot.bars.values())
    assert (bins[0], bins[-1], sum(bins)) == (1, 1, 6)
    assert sum(map(bool, bins)) == 4, "100, 110 and 120 share a bin"
    assert "<svg" in svg(plot)


# The command.


def test_the_command_writes_tables_page_plots_and_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/bin/sera-swezero", "stats", T2, "--html", "a.html"])
    given = ["--html", "made/page.html", "--png", "made/plots", "--markdown", "made/tables.md", "--samples", "3"]
    given = [str(tmp_path / word) if word.startswith("made") else word for word in given]
    done = inside("stats", T2, "--upstream", "sample", "--json", *given)
    figures = json.loads(done.stdout[done.stdout.index("{") :])
    tally = one(T2, upstream="sample")
    assert figures["sets"][T2] == json.loads(json.dumps(tally.figures()))
    assert figures["total"]["calls"]["mean"] == tally.calls.mean
    assert set(figures["not_in_the_data"]) == {"wall time", "context budget", "hardware"}
    text = (tmp_path / "made" / "page.html").read_text(encoding="utf-8")
    assert "These rows are made up." in text
    line_ = f"with sera-swezero {__version__} by `sera-swezero stats {T2} --html a.html`. Rows of the made-up sample."
    assert line_ in text
    assert f"Made on {datetime.now(UTC).date()} " in text
    samples = json.loads(text.partition('type="application/json">')[2].partition("</script>")[0])
    assert len(samples) == 3
    assert {sample["set"] for sample in samples} == {T2}
    addresses = set(re.findall(r"https?://[^\s\"'<)]+", re.sub(r"<script id=.*?</script>", "", text, flags=re.DOTALL)))
    assert all(address.startswith("http://www.w3.org/") for address in addresses), "names of formats are not requests"
    drawn = {path.name: path.read_bytes() for path in (tmp_path / "made" / "plots").iterdir()}
    assert {"turns.png", "tool-calls.png", "characters.png", "recall.png", "outcomes.png"} <= drawn.keys()
    assert {"tools.png", "editor.png", "conversions.png", "rejected.png"} <= drawn.keys()
    assert all(content.startswith(b"\x89PNG") for content in drawn.values())
    markdown = (tmp_path / "made" / "tables.md").read_text(encoding="utf-8")
    assert "### Line-level recall\n\n| set | rows with a recall |" in markdown


def test_the_command_compares_on_the_terminal() -> None:
    done = inside("stats", "swe-zero-1k-8k", "--versus", ZERO, "--upstream", "sample", "--no-unique")
    tally = one("swe-zero-1k-8k", upstream="sample", unique=False)
    line_ = next(text for text in done.output.splitlines() if text.startswith("submitted"))
    assert line_.split()[1] == str(tally.outcomes["submitted"])
    assert "unique corpus-wide" not in done.output
    assert "no column: wall time, context budget, hardware" in done.output


def test_files_are_read_one_by_one_and_from_urls(tmp_path: Path, hub: LoopbackHub, point: Point) -> None:
    build(["glm-4.6-lite-t2"], tmp_path / "out", upstream="sample", workers=1)
    (file,) = (tmp_path / "out/glm-4.6-lite-t2").iterdir()
    fsspec.filesystem("memory").put(str(tmp_path / "out"), "/stats", recursive=True)
    hub.add_dataset("me/stats", tmp_path / "out")
    point(hub)
    HfFileSystem.clear_instance_cache()
    local = stats(str(tmp_path / "out"))
    for url in ("memory://stats", "hf://datasets/me/stats"):
        found = stats(url)
        assert found.made_up
        assert msgspec.json.encode(found.sets) == msgspec.json.encode(local.sets)
        place = f"{file.parent.name}/{file.name}"
        for alone in (stats(f"{url}/{place}"), stats(str(file))):
            assert alone.sets["glm-4.6-lite-t2"].figures()["messages"] == local.total.figures()["messages"]


# What cannot be read.


def test_other_rows_are_refused_by_name(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pytest.raises(ConfigError, match=r"did you mean 'glm-4.6-lite-t2'"):
        stats("glm-4.6-lite-t3")
    with pytest.raises(ConfigError, match=r"no file or folder './nosuch', and no config './nosuch'; configs are"):
        stats("./nosuch")
    with pytest.raises(UpstreamError, match=r"gopher://a/rows.parquet: cannot be read: "):
        stats("gopher://a/rows.parquet")
    with pytest.raises(ConfigError, match="is in the view 'openai'; statistics read the views rectified and native"):
        stats("glm-4.6-lite-t2-openai", upstream="sample")
    with pytest.raises(ConfigError, match="no Parquet files"):
        stats(str(tmp_path))
    with pytest.raises(
        ConfigError, match=r"the rows of files are read as they are; upstream can only be given with a config"
    ):
        stats(str(tmp_path), upstream="sample")
    pq.write_table(pa.table({"text": ["a"]}), tmp_path / "x.parquet")
    with pytest.raises(
        ConfigError, match=r"columns text belong to no view that statistics read; expected .*instance_id"
    ):
        stats(str(tmp_path))


def test_rejected_rows_beside_the_others_are_not_counted(tmp_path: Path) -> None:
    made = build(["glm-4.6-lite-t2"], tmp_path, upstream="sample", workers=1)
    assert list(tmp_path.glob("rejected/**/*.parquet"))
    assert one(str(tmp_path)).rows == made.configs["glm-4.6-lite-t2"].rows


# What a limit of tokens would keep.

BEST = "glm-4.6-lite-best"


def test_stats_say_what_each_way_to_treat_long_rows_would_keep(tokenizer: str) -> None:
    limit = {"max_tokens": 5_500, "tokenizer": tokenizer}
    counted = stats(BEST, upstream="sample", **limit)
    figures = counted.sets[BEST].within_limit
    rows = {way: _kept(overlong=way, **limit) for way in ("drop", "truncate", "split")}
    whole = _kept()
    assert (figures["all rows"], figures["all turns"]) == whole
    for way, kept in rows.items():
        assert (figures[f"{way} rows"], figures[f"{way} turns"]) == kept
    assert rows["drop"][0] < rows["truncate"][0] <= rows["split"][0]
    assert rows["truncate"][1] < rows["split"][1] <= whole[1]
    assert figures["truncate tokens"] < figures["split tokens"] <= figures["all tokens"]
    (table,) = (one for one in tables(counted) if one.title == "What max_tokens=5500 keeps")
    assert [row[1] for row in table.rows] == ["`drop`", "`truncate`", "`split`"]
    assert not [one for one in tables(stats(BEST, upstream="sample")) if "max_tokens" in one.title]
    with pytest.raises(ConfigError, match="each needs the other"):
        stats(BEST, upstream="sample", max_tokens=5_500)
    with pytest.raises(ConfigError, match="statistics count tokens in SERA's form; leave chat_template out"):
        stats(BEST, upstream="sample", chat_template="qwen3", **limit)


def _kept(**arguments: Any) -> tuple[int, int]:
    """Records and turns of the rows that a training view gives."""
    rows = list(iter_rows(BEST, view="openai", upstream="sample", lineage=True, **arguments))
    turns = sum(message["role"] == "assistant" for row in rows for message in row["messages"])
    return len({row["source_offset"] for row in rows}), turns
