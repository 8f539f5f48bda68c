"""Rows that overlap a benchmark: what counts as overlap, the list that ships, the filter and the command."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

import sera_swezero
from sera_swezero.errors import ConfigError
from sera_swezero.request.benchmark_overlap import SWE_BENCH_VERIFIED, Benchmark, load
from tests.support.planted import ZERO, Rollout, write_zero
from tests.support.processes import inside
from tests.support.raw import DIFF, T2, Turn, history, line, sera, write_lines

ISSUE = (
    "Parsing a table with an empty header row raises IndexError since the last release. "
    "I expected an empty table, as the documentation of the reader says it would be."
)
WORDS = ISSUE.split()


def listed(path: Path, *lines: object) -> Path:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in lines), encoding="utf-8")
    return path


@pytest.fixture
def benchmark(tmp_path: Path) -> Benchmark:
    entries = [{"repo": "Acme/Table"}, {"instance_id": "other__tool-7", "instances": 3}, {"text": ISSUE}]
    return load(
        listed(tmp_path / "list.jsonl", *entries, {"text": "Please fix it"}, {"text": "one two three four five"})
    )


def test_the_shipped_list_is_that_of_the_500_instances() -> None:
    counts = {row["repo"]: row["instances"] for row in map(json.loads, SWE_BENCH_VERIFIED.open(encoding="utf-8"))}
    assert len(counts) == 12
    assert sum(counts.values()) == 500
    assert (counts["django/django"], counts["sympy/sympy"], counts["pallets/flask"]) == (231, 75, 1)
    assert load(SWE_BENCH_VERIFIED).repos == counts.keys()


@pytest.mark.parametrize(
    ("instance", "repo", "how"),
    [
        pytest.param("acme__table-5", "acme/table", "repo", id="the repository, in any case"),
        pytest.param("acme__table-5", None, "repo", id="the repository of an instance id"),
        pytest.param("table_10017", None, "repo", id="SERA has the name alone"),
        pytest.param("tablekit_10017", None, None, id="a name that begins alike is another"),
        pytest.param("friends__table-5", "friends/table", None, id="a fork is another repository"),
        pytest.param("Other__Tool-7", "other/tool", "instance", id="the instance, in any case"),
        pytest.param("other__tool-70", "other/tool", None, id="another instance"),
    ],
)
def test_a_row_overlaps_by_name(benchmark: Benchmark, instance: str, repo: str | None, how: str | None) -> None:
    assert benchmark.overlap(instance, repo, "Do something else altogether.") == how


@pytest.mark.parametrize(
    ("task", "how"),
    [
        pytest.param(f"<issue>\n{ISSUE}\n</issue>", "text", id="the whole text inside another"),
        pytest.param(" ".join(WORDS[4:17]), "text", id="13 words in a row"),
        pytest.param(" ".join(WORDS[4:16]), None, id="12 are too few"),
        pytest.param(" ".join([*WORDS[:12], "really", *WORDS[12:24]]), None, id="not in a row"),
        pytest.param(", ".join(WORDS[4:17]).upper(), "text", id="case and punctuation do not count"),
        pytest.param(
            "Please fix it, and then some more words follow here.", None, id="a listed text of 3 words is none"
        ),
        pytest.param("zero one, two, three; four -- five six", "text", id="a short listed text counts as a whole"),
        pytest.param("one two three four six", None, id="but only as a whole"),
        pytest.param(None, None, id="no task at all"),
    ],
)
def test_a_row_overlaps_by_its_problem(benchmark: Benchmark, task: str | None, how: str | None) -> None:
    assert benchmark.overlap("friends__tool-1", "friends/tool", task) == how


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ('{"repo": "a/b"}\nacme/table\n', "line 2: .*expected an object"),
        ('{"repo": 5}\n', "line 1: Expected `str"),
        ('\n{"instances": 5}\n', "line 2: .*found none of them"),
        ("[1]\n", "line 1: "),
    ],
)
def test_a_list_that_is_none_names_its_line(tmp_path: Path, content: str, match: str) -> None:
    path = tmp_path / "list.jsonl"
    path.write_text(content)
    with pytest.raises(ConfigError, match=match):
        load(path)
    with pytest.raises(ConfigError, match=match):
        sera_swezero.SeraSweZero(config_name=ZERO, upstream="sample", decontaminate=str(path))


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no list '.*none'; a JSONL file .*, or one of swe-bench-verified"):
        sera_swezero.SeraSweZero(config_name=ZERO, upstream="sample", decontaminate=str(tmp_path / "none"))
    with pytest.raises(ConfigError, match=r"no list 'swe-bench-verifed' \(did you mean 'swe-bench-verified'\?\)"):
        load("swe-bench-verifed")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rows = [
        Rollout("friends__tool-1", "incomplete", ["ls"], repo="friends/tool"),
        Rollout("acme__table-1", "incomplete", ["ls"], repo="acme/table"),
        Rollout("other__tool-7", "incomplete", ["ls"], repo="other/tool"),
        Rollout("friends__tool-2", "incomplete", ["ls"], repo="friends/tool", task=f"Hello!\n\n{ISSUE}"),
        Rollout("acme__table-2", "incomplete", ["ls"], repo="acme/table", task=ISSUE),
        Rollout("django__django-1", "incomplete", ["ls"], repo="django/django"),
    ]
    write_zero(tmp_path / "root", [row.raw() for row in rows])
    return tmp_path / "root"


LISTED = ({"repo": "acme/table"}, {"instance_id": "other__tool-7"}, {"text": ISSUE})


@pytest.mark.matrix
@pytest.mark.parametrize("config", [ZERO, f"{ZERO}-rectified"])
def test_rows_that_overlap_are_left_out_and_counted_by_reason(root: Path, tmp_path: Path, config: str) -> None:
    against = str(listed(tmp_path / "list.jsonl", *LISTED))
    builder = sera_swezero.SeraSweZero(config_name=config, upstream=str(root), decontaminate=against)
    ids = [row["instance_id"] for row in builder.as_streaming_dataset(split="train")]
    assert ids == ["friends__tool-1", "django__django-1"]
    counted = {"decontaminate_repo": 2, "decontaminate_instance": 1, "decontaminate_text": 1}
    assert builder.report.filtered_by == Counter(counted)
    assert (builder.report.rows_in, builder.report.rows_out, builder.report.filtered) == (6, 2, 4)


@pytest.mark.matrix
def test_the_shipped_list_by_name(root: Path) -> None:
    arguments = {"upstream": str(root), "decontaminate": "swe-bench-verified", "split": "train"}
    ids = [row["instance_id"] for row in sera_swezero.load_dataset(ZERO, streaming=True, **arguments)]
    assert len(ids) == 5
    assert "django__django-1" not in ids


def test_sera_rows_overlap_by_name_and_problem(tmp_path: Path) -> None:
    ended = [Turn("Done.", "It is done.", "submit", "{}", DIFF)]
    rows = [
        sera(history(ended), instance_id="calc_10001"),
        sera(history(ended), instance_id="table_10002"),
        sera(history(ended, task=f"<pr_description>\n{ISSUE}\n</pr_description>"), instance_id="calc_10003"),
    ]
    write_lines(tmp_path / "root", T2, *map(line, rows))
    against = str(listed(tmp_path / "list.jsonl", *LISTED))
    builder = sera_swezero.SeraSweZero(config_name=T2, upstream=str(tmp_path / "root"), decontaminate=against)
    assert [row["instance_id"] for row in builder.as_streaming_dataset(split="train")] == ["calc_10001"]
    assert builder.report.filtered_by == {"decontaminate_repo": 1, "decontaminate_text": 1}


def test_the_cache_knows_what_the_list_says(root: Path, tmp_path: Path) -> None:
    def place(*lines: object) -> str:
        given = {"upstream": str(root), "decontaminate": str(listed(tmp_path / "list.jsonl", *lines))}
        return sera_swezero.SeraSweZero(config_name=ZERO, cache_dir=str(tmp_path / "cache"), **given).cache_dir

    assert place({"repo": "a/b"}) == place({"repo": "a/b"}) != place({"repo": "a/c"})


def test_the_command_finds_them(root: Path, tmp_path: Path) -> None:
    against, out = listed(tmp_path / "list.jsonl", *LISTED), tmp_path / "found.jsonl"
    done = inside("decontaminate", ZERO, "--upstream", root, "--against", against, "--out", out)
    assert "6 rows, 4 overlap: 2 by repo, 1 by instance, 1 by text" in done.output
    found = [json.loads(row) for row in out.read_text().splitlines()]
    assert [(row["instance_id"], row["offset"], row["overlaps"]) for row in found] == [
        ("acme__table-1", 1, "repo"),
        ("other__tool-7", 2, "instance"),
        ("friends__tool-2", 3, "text"),
        ("acme__table-2", 4, "repo"),
    ]
    done = inside("decontaminate", ZERO, "--upstream", root, "--json")
    assert json.loads(done.output) == {"rows": 6, "overlaps": {"repo": 1, "instance": 0, "text": 0}}


def test_a_long_instance_id_takes_no_more_than_its_length() -> None:
    """If it took its square, the test's time limit would notice."""
    benchmark = Benchmark(repos=frozenset({"a/b"}), names=frozenset({"b"}))
    for name in ("__" * 60_000, "a__-1" * 24_000 + "x", "_1" * 60_000 + "x"):
        assert benchmark.overlap(name, None, None) is None
    found = [benchmark.overlap(name, None, None) for name in ("A__b-1", "b_7", "a__b-x", "__b-1", "b_")]
    assert found == ["repo", "repo", None, None, None]
