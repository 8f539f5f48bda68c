"""The command line as a person and a script meet it: output, exit codes, one line per error."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import typer
from rich.console import Console

import sera_swezero
from sera_swezero.build.runner import build
from sera_swezero.catalog import CONFIGS
from sera_swezero.cli.app import COMMANDS, app
from sera_swezero.cli.demo import EXAMPLE
from sera_swezero.cli.row_printer import printable, render
from sera_swezero.errors import OutputError
from sera_swezero.request.arguments import ARGUMENTS
from sera_swezero.request.settle import settle
from sera_swezero.rows import RowIterator
from sera_swezero.sample import ROOT, sampled_configs
from sera_swezero.views import VIEWS
from tests.support.processes import HERE, heed_interrupts, inside, program, python

T1, T2 = "allenai/Sera-4.6-Lite-T1", "allenai/Sera-4.6-Lite-T2"
ESCAPE = re.compile("\x1b")


def run(*arguments, env=None, cwd=HERE, **options):
    """Run the real command; its output is a pipe, as in a script."""
    given = {**os.environ, "PYTHONPATH": str(HERE), "COLUMNS": "80", **(env or {})}
    return program(*arguments, env=given, cwd=cwd, **options)


def rows_of(config, **arguments):
    return list(sera_swezero.iter_rows(config, upstream="sample", **arguments))


# Starting.


HEAVY = {"pyarrow", "numpy", "huggingface_hub", "jsonschema"}


@pytest.mark.parametrize(
    ("command", "spared"),
    [
        *((command, HEAVY) for command in ("--help", "--version", "configs", "check --help", "show --help")),
        ("show glm-4.6-lite-t2 --upstream sample", {"fsspec", "pyarrow", "numpy"}),
        ("stats glm-4.6-lite-t2 --upstream sample", {"fsspec", "pyarrow", "numpy"}),
        ("build glm-4.6-lite-t2 --upstream sample --max-rows 2 --workers 1 --out {tmp}/out", {"fsspec"}),
        ("check {tmp}/out", {"huggingface_hub"}),
    ],
    ids=lambda value: value.partition(" --upstream")[0] if isinstance(value, str) else "",
)
def test_a_command_imports_no_library_that_it_does_not_need(command, spared, tmp_path):
    if "/out" in command:
        build(["glm-4.6-lite-t2"], tmp_path / "out", upstream="sample", max_rows=2, workers=1)
    unneeded = spared | {"datasets", "pandas", "httpx", "httpx2", "requests"}
    script = (
        "import sys\nfrom sera_swezero.cli import main\ntry:\n    main(sys.argv[1:])\nfinally:\n"
        f"    print('loaded:', *sorted({unneeded} & sys.modules.keys()))"
    )
    done = python("-c", script, *command.format(tmp=tmp_path).split(), well=True)
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_the_installed_script_takes_nothing_along_into_the_processes_of_a_build():
    # Python runs a script's imports again in every process that it starts.
    script = "import sys\nfrom sera_swezero.cli import main\nprint({'typer', 'rich', 'msgspec'} & sys.modules.keys())"
    assert python("-c", script, well=True).stdout.strip() == "set()"


def test_without_arguments_there_is_help_and_version_is_the_packages():
    done = run()
    assert done.returncode == 0
    assert all(command in done.stdout for command in ("configs", "show", "check", "lock"))
    assert run("--version").stdout.strip() == sera_swezero.__version__


@pytest.mark.parametrize("example", COMMANDS.values(), ids=lambda example: example.split()[0])
def test_the_help_of_a_command_has_an_example_that_it_takes(example, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    name, *words = example.split()
    assert typer.main.get_command(app).commands[name].make_context(name, words)
    text = inside(name, "--help").stdout
    assert f"Example: sera-swezero {example}" in text
    usage = next(line for line in text.splitlines() if "Usage:" in line)
    assert not re.search(r"\.\.\..*\.\.\.", usage)
    assert not re.search("int(eger)? range", text, re.IGNORECASE)
    paragraphs = [line.strip() for line in text.split("╭")[0].splitlines()[3:] if line.strip()]
    assert all(paragraph.endswith((".", "`")) for paragraph in paragraphs), (
        "no line of the source is a line of the help"
    )


def test_the_shell_completes_commands_and_configs():
    def completed(*words):
        env = {
            "_SERA_SWEZERO_COMPLETE": "complete_bash",
            "COMP_WORDS": " ".join(words),
            "COMP_CWORD": str(len(words) - 1),
        }
        return run(env=env).stdout.split()

    assert completed("sera-swezero", "sh") == ["show"]
    assert completed("sera-swezero", "build", "glm-4.6-lite-t2-o") == ["glm-4.6-lite-t2-openai"]


# Errors.

ERRORS = {
    "unknown option": (["show", "sera", "--colour"], "--colour"),
    "unknown command": (["shwo"], "No such command 'shwo'"),
    "missing argument": (["check"], "PATH"),
    "bad number": (["show", "sera", "--row", "x"], "--row"),
    "unknown config": (["show", "glm-4.6-lite-t3"], "did you mean"),
    "clashing arguments": (["show", "swe-zero-12m", "--min-recall", "0.5"], "recall"),
    "two ways to choose": (["show", "sera", "--row", "1", "--id", "a"], "exclude each other"),
    "no such row": (["show", "glm-4.6-lite-t2", "--upstream", "sample", "--row", "9999"], "counted from 0"),
    "no such id": (["show", "glm-4.6-lite-t2", "--upstream", "sample", "--id", "nobody_1"], "nobody_1"),
    "no such root": (["show", "sera", "--upstream", "./nowhere"], "nowhere"),
    "no such folder": (
        ["show", "sera", "--upstream", "sampl"],
        "upstream='sampl': no such folder (did you mean 'sample'?)",
    ),
    "no such list": (
        ["decontaminate", "sera", "--upstream", "sample", "--against", "nil"],
        "no list 'nil'; a JSONL file",
    ),
    "no such kind": (["check", "README.md", "--as", "parquet"], "rectified-sera"),
    "misspelt kind": (
        ["check", "README.md", "--as", "openia"],
        "(did you mean 'openai'?); there are rectified, native, op",
    ),
    "no lock file": (["lock", "sera", "--out", "pyproject.toml"], "is not a lock file"),
}


@pytest.mark.parametrize(("arguments", "message"), ERRORS.values(), ids=ERRORS)
def test_an_error_is_one_line_on_stderr_and_exit_code_2(arguments, message):
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("sera-swezero: ")
    assert message in done.stderr


SAMPLE = ["glm-4.6-lite-t2", "--upstream", "sample"]
OUTPUTS = {
    "dedup": (["dedup", *SAMPLE, "--out", "."], "--out . is a folder; the path of a file to write was expected"),
    "decontaminate": (["decontaminate", *SAMPLE, "--out", "."], "--out . is a folder"),
    "lock": (["lock", "sera", "--out", "."], "--out . is a folder"),
    "page": (["stats", *SAMPLE, "--html", "README.md/a.html"], "--html README.md/a.html cannot be written: "),
    "tables": (["stats", *SAMPLE, "--markdown", "/proc/x/a.md"], "--markdown /proc/x/a.md cannot be written: "),
    "plots": (["stats", *SAMPLE, "--png", "README.md"], "--png README.md is a file; the path of a folder was expected"),
    "build": (["build", *SAMPLE, "--out", "README.md"], "--out README.md is a file"),
    "build below a file": (
        ["build", *SAMPLE, "--out", "README.md/out"],
        "--out README.md/out cannot be written: Not a",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), OUTPUTS.values(), ids=OUTPUTS)
def test_an_output_that_cannot_be_written_is_refused_before_a_row_is_read(arguments, message, monkeypatch):
    monkeypatch.setattr("sera_swezero.upstream.snapshot._list_root", None)
    with pytest.raises(OutputError, match=re.escape(message)):
        inside(*arguments)


FULL = {
    "dedup": ["dedup", *SAMPLE, "--out", "full/a.parquet"],
    "decontaminate": ["decontaminate", *SAMPLE, "--out", "full/a.jsonl", "--against", "every.jsonl"],
    "page": ["stats", *SAMPLE, "--html", "full/a.html", "--samples", 2],
    "tables": ["stats", *SAMPLE, "--markdown", "full/a.md"],
    "plots": ["stats", *SAMPLE, "--png", "full"],
}


def files_of_1000_bytes():
    """Run in a process before its command: what it writes ends as on a full disk."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


@pytest.mark.parametrize("arguments", FULL.values(), ids=FULL)
def test_an_output_that_does_not_fit_leaves_what_was_there(arguments, tmp_path):
    (tmp_path / "full").mkdir()
    path = tmp_path / "full" / Path(arguments[arguments.index("--upstream") + 3]).name
    path.write_text("before")
    ids = {row["instance_id"] for row in rows_of(SAMPLE[0])}
    (tmp_path / "every.jsonl").write_text("".join(json.dumps({"instance_id": name}) + "\n" for name in ids))
    done = run(*arguments, cwd=tmp_path, preexec_fn=files_of_1000_bytes)
    assert done.returncode == 2
    said = done.stderr.splitlines()[-1]
    place = rf"(full/\S+|{re.escape(tempfile.gettempdir())})"
    assert re.fullmatch(rf"sera-swezero: OutputError: {place} cannot be written: File too large", said)
    assert [(one.name, one.read_text()) for one in path.parent.iterdir()] == [(path.name, "before")]


def test_an_output_may_be_a_pipe():
    done = run("stats", *SAMPLE, "--markdown", "/dev/stdout")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "/dev/stdout: the tables")
    assert done.stdout.startswith("### ")


def test_stats_says_what_it_wrote(tmp_path):
    done = inside("stats", *SAMPLE, "--markdown", tmp_path / "new" / "tables.md")
    assert done.stderr == f"{tmp_path}/new/tables.md: the tables\n"
    assert (tmp_path / "new" / "tables.md").read_text(encoding="utf-8").startswith("### ")


@pytest.mark.parametrize("place", [0, 1, 3])
def test_debug_shows_the_traceback_wherever_it_stands(place):
    arguments = ["show", "sera", "--row", "1", "--id", "a"]
    arguments.insert(place, "--debug")
    done = run(*arguments)
    assert done.returncode != 0
    assert "Traceback" in done.stderr
    assert done.stderr.strip().splitlines()[-1].startswith("sera_swezero.errors.ConfigError: ")


def test_an_interrupted_command_ends_in_one_line():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        silent.settimeout(60)
        env = {**os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}", "PYTHONPATH": str(HERE)}
        child = subprocess.Popen(
            [sys.executable, "-m", "sera_swezero", "lock", "sera"],
            env=env,
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=heed_interrupts,  # noqa: PLW1509 (no other thread is here)
        )
        accepted, _ = silent.accept()  # the command now waits for an answer that never comes
        with accepted:
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=60)
    assert (child.returncode, out, err) == (130, "", "sera-swezero: interrupted\n")


def test_a_reader_that_has_seen_enough_is_no_error():
    command = f"'{sys.executable}' -m sera_swezero show sera --upstream sample --full --row 30 | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=HERE, check=True)
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


# render.


def test_render_without_its_package_says_so_before_it_asks_anybody(hub):
    script = "import sys\nsys.modules['tokenizers'] = None\nfrom sera_swezero.cli import main\nmain(sys.argv[1:])"
    given = ["render", "sera-openai", "--template", "qwen3_training", "--tokenizer", "Qwen/Qwen3-8B"]
    done = python("-c", script, *given, env=hub.env())
    says = "tokenizer='Qwen/Qwen3-8B' needs the package `tokenizers`: pip install 'sera-swezero[train]'"
    assert (done.returncode, done.stderr) == (2, f"sera-swezero: ConfigError: {says}\n")
    assert hub.log == []


# configs.


def test_the_config_table_is_whole_at_80_columns():
    done = run("configs")
    assert done.returncode == 0
    assert max(map(len, done.stdout.split("\n\n")[0].splitlines())) <= 80
    for config in CONFIGS.values():
        assert config.name in done.stdout
        assert f"{config.rows:,}" in done.stdout
        assert all(origin.repo in done.stdout for origin in config.origins)


def test_the_config_table_for_machines():
    entries = json.loads(run("configs", "--json").stdout)
    assert [entry["config"] for entry in entries] == list(CONFIGS)
    assert {entry["config"]: entry["rows"] for entry in entries}["sera"] == 211_363
    assert all(entry["views"] == list(VIEWS) for entry in entries)
    assert [entry["config"] for entry in entries if entry["default"]] == ["sera"]


# show.


def test_show_through_a_pipe_has_every_column_and_message_and_no_colour():
    done = run("show", "glm-4.6-lite-t2", "--upstream", "sample", "--row", 3)
    row = rows_of("glm-4.6-lite-t2")[3]
    assert (done.returncode, done.stderr) == (0, "")
    assert not ESCAPE.search(done.stdout)
    for name, value in row.items():
        assert name == "messages" or f"{name} " in done.stdout
        assert name == "messages" or str(value) in done.stdout
    messages = json.loads(row["messages"])
    headings = re.findall(r"^\[(\d+)\] (\w+)", done.stdout, re.MULTILINE)
    assert headings == [(str(number), message["role"]) for number, message in enumerate(messages)]
    assert "<think>" not in done.stdout.split("[2] reasoning")[1]


def test_long_observations_are_folded_and_full_unfolds_them():
    rows = rows_of("glm-4.6-lite-t2")
    number, longest = max(
        (
            (at, message)
            for at, row in enumerate(rows)
            for message in json.loads(row["messages"])
            if message["role"] == "tool_output"
        ),
        key=lambda found: found[1]["content"].count("\n"),
    )
    lines = longest["content"].removeprefix("<tool_response>").removesuffix("</tool_response>").split("\n")
    assert len(lines) > 20
    folded = inside("show", "glm-4.6-lite-t2", "--upstream", "sample", "--row", number).stdout
    full = inside("show", "glm-4.6-lite-t2", "--upstream", "sample", "--row", number, "--full").stdout
    assert f"... {len(lines) - 10} lines hidden (--full shows them) ..." in folded
    assert "(--full shows them)" not in full
    assert len(full) > len(folded)
    assert printable("\n".join(lines), fold=False) in full


@pytest.mark.parametrize(("config", "row"), [("sera", 100), ("glm-4.6-lite-t2-openai", 3)])
def test_show_as_json_is_the_row_that_the_loader_gives(config, row):
    done = run("show", config, "--upstream", "sample", "--row", row, "--json")
    stream = sera_swezero.load_dataset(config, split="train", streaming=True, upstream="sample")
    assert json.loads(done.stdout) == next(iter(stream.skip(row)))


def test_show_finds_a_row_by_its_id():
    wanted = rows_of("glm-4.6-lite-t1")[20]
    done = inside("show", "glm-4.6-lite-t1", "--upstream", "sample", "--id", wanted["instance_id"], "--json")
    assert json.loads(done.stdout) == wanted


def test_show_says_why_a_record_of_that_id_is_no_row():
    refused = []
    request = settle("glm-4.6-lite-t2", upstream="sample")
    list(RowIterator(request, on_reject=lambda error, raw: refused.append((error, raw))))
    error, raw = next(found for found in refused if found[0].reason == "no_submission")
    done = run("show", "glm-4.6-lite-t2", "--upstream", "sample", "--id", json.loads(raw.data)["instance_id"])
    assert done.returncode == 2
    assert "was rejected" in done.stderr
    assert "no_submission" in done.stderr
    assert str(error.offset) in done.stderr


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("config", ["glm-4.6-lite-t2", "swe-zero-12m"])
def test_every_view_is_readable(config, view):
    done = inside("show", config, "--view", view, "--upstream", "sample", "--row", 5)
    assert done.exit_code == 0
    assert re.search(r"tool_call bash\ncommand: |function_call bash\ncommand: |```bash|<tool_call>", done.stdout)
    assert len(re.findall(r"^\[\d+\] ", done.stdout, re.MULTILINE)) > 5


def test_the_arguments_of_a_config_reach_the_row():
    row = json.loads(
        inside(
            "show", "sera", "--upstream", "sample", "--rollout", "T2", "--min-recall", "1", "--lineage", "--json"
        ).stdout
    )
    assert (row["rollout"], row["line_level_recall"]) == ("T2", 1.0)
    assert row["source_repo"].endswith("-T2")


@pytest.mark.parametrize("command", ["show", "render", "stats", "dedup", "decontaminate", "build", "plan"])
def test_a_command_that_takes_a_config_takes_its_arguments(command):
    options = inside(command, "--help").stdout
    order = {argument.name for argument in ARGUMENTS.values() if argument.order}
    expected = ARGUMENTS.keys() if command in {"show", "render"} else ARGUMENTS.keys() - order
    assert all(f"--{name.replace('_', '-')} " in options for name in expected)


def test_the_help_of_an_argument_says_what_it_does_and_what_it_may_be():
    done = run("show", "--help", env={"COLUMNS": "200"})
    assert re.search(r"--scale +SCALE +Read only the sets of this scale \(full, lite, django, sympy,", done.stdout)


def test_a_terminal_gets_colours_but_no_escape_of_the_rows_own():
    row = {
        "instance_id": "a\x1b[2J",
        "messages": [
            {"role": "user", "content": "x\x1b]0;owned\x07\x1b[31mred\r\u202e"},
            {"role": "assistant", "content": "[bold]no markup[/]"},
        ],
    }
    screen = io.StringIO()
    render(
        row,
        VIEWS["rectified"],
        Console(file=screen, force_terminal=True, color_system="standard", width=80, highlight=False),
    )
    text = screen.getvalue()
    assert "\x1b[" in text, "colours of ours"
    assert "\\x1b]0;owned\\x07\\x1b[31mred\\r\\u202e" in text
    assert "a\\x1b[2J" in text
    assert "[bold]no markup[/]" in text


# check.


def converted(path, config="glm-4.6-lite-t2"):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows_of(config)), encoding="utf-8")
    return path


def test_check_tells_by_its_exit_code_what_it_found(tmp_path):
    good = converted(tmp_path / "good.jsonl")
    bad = tmp_path / "bad.jsonl"
    bad.write_text(good.read_text().replace('"rollout": "T2"', '"rollout": "T3"', 2))
    count = len(rows_of("glm-4.6-lite-t2"))
    right = run("check", good)
    assert (right.returncode, right.stdout) == (0, f"1 file, rows: {count} rectified-sera; no problems\n")
    wrong = run("check", bad)
    assert wrong.returncode == 1
    lines = wrong.stdout.splitlines()
    assert lines[:2] == [f"{bad} row {n} $.rollout: string 'T3'; expected one of 'T1', 'T2', null" for n in (0, 1)]
    assert lines[2:] == [f"1 file, rows: {count} rectified-sera; 2 problems"]
    assert run("check", good, tmp_path / "none.parquet").returncode == 2
    assert wrong.stderr == ""


def test_check_for_machines_is_an_object_a_line_and_a_summary(tmp_path):
    file = converted(tmp_path / "rows.jsonl")
    file.write_text(file.read_text().replace('"teacher": "GLM-4.6"', '"teacher": 5', 3))
    *problems, last = map(json.loads, inside("check", tmp_path, "--json").stdout.splitlines())
    assert [(problem["row"], problem["path"], problem["found"]) for problem in problems] == [
        (number, "$.teacher", "integer 5") for number in range(3)
    ]
    assert all(problem["file"] == str(file) and "'GLM-4.6'" in problem["expected"] for problem in problems)
    count = len(rows_of("glm-4.6-lite-t2"))
    summary = {"files": 1, "rows": {"rectified-sera": count}, "rows_with_problems": 3, "problems": 3, "stopped": False}
    assert last == {"summary": summary}


@pytest.mark.parametrize(("most", "problems", "stopped"), [(1, 1, True), (3, 3, False), (0, 3, False)])
def test_check_stops_after_so_many_problems(most, problems, stopped, tmp_path):
    file = converted(tmp_path / "rows.jsonl")
    file.write_text(file.read_text().replace('"teacher": "GLM-4.6"', '"teacher": 5', 3))
    result = inside("check", file, "--max-problems", most, "--json")
    summary = json.loads(result.stdout.splitlines()[-1])["summary"]
    assert result.exit_code == 1
    assert (summary["problems"], summary["stopped"]) == (problems, stopped)


def test_check_prints_hostile_text_harmlessly(tmp_path):
    file = converted(tmp_path / "rows.jsonl")
    row = {**json.loads(file.read_text().splitlines()[0]), "\x1b[2Jkey": 1, "teacher": "\x1b]0;owned\x07\n"}
    file.write_text(json.dumps(row) + "\n")
    done = run("check", file)
    assert done.returncode == 1
    assert not ESCAPE.search(done.stdout)
    assert len(done.stdout.splitlines()) == 3


# lock.


def test_lock_writes_the_commits_of_now_and_keeps_the_others(hub, tmp_path):
    first = hub.add_dataset(T2, ROOT / T2)
    other = hub.add_dataset(T1, ROOT / T1)
    file = tmp_path / "sera-swezero.lock"
    done = run("lock", "glm-4.6-lite-t2", env=hub.env(), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(file.read_text()) == {"repos": {T2: first}}
    assert first in done.stdout
    second = hub.commit(T2, {"more.txt": b"more"})
    done = run("lock", "glm-4.6-lite-t1", "glm-4.6-lite-t2-native", "--json", env=hub.env(), cwd=tmp_path)
    assert json.loads(done.stdout)["repos"] == {T1: other, T2: second}
    assert json.loads(file.read_text()) == {"repos": {T1: other, T2: second}}
    assert f"(was {first[:12]})" not in run("lock", "glm-4.6-lite-t2", env=hub.env(), cwd=tmp_path).stdout


def test_a_locked_revision_is_what_show_reads(hub, tmp_path):
    file = next((ROOT / T2).glob("*.jsonl"))
    lines = file.read_bytes().splitlines(keepends=True)
    hub.add_dataset(T2, {"rows.jsonl": b"".join(lines[:3])})
    assert run("lock", "glm-4.6-lite-t2", "--out", tmp_path / "a.lock", env=hub.env()).returncode == 0
    hub.commit(T2, {"rows.jsonl": b"".join(lines[10:20])})
    shows = ["show", "glm-4.6-lite-t2", "--json"]
    locked = json.loads(run(*shows, "--revision", tmp_path / "a.lock", env=hub.env()).stdout)
    newest = json.loads(run(*shows, env=hub.env()).stdout)
    assert locked["instance_id"] in {json.loads(line)["instance_id"] for line in lines[:3]}
    assert newest["instance_id"] in {json.loads(line)["instance_id"] for line in lines[10:20]}


def test_a_repo_that_is_not_there_leaves_the_lock_file_as_it_was(hub, tmp_path):
    file = tmp_path / "sera-swezero.lock"
    file.write_text(json.dumps({"repos": {T1: "0" * 40}}))
    before = file.read_bytes()
    done = run("lock", "glm-4.6-lite-t2", env=hub.env(), cwd=tmp_path)
    assert done.returncode == 2
    assert T2 in done.stderr
    assert file.read_bytes() == before


# The walk-through.


def test_the_demo_shows_equal_rows_and_the_counts_of_the_corpus():
    env = {**os.environ, "PYTHONPATH": str(HERE), "COLUMNS": "100"}
    done = python("-m", "sera_swezero.cli.demo", env=env, well=True)
    first, same, _, counts, reasons = done.stdout.split("──\n")[1:]
    assert first.startswith(f"{EXAMPLE}\n")
    for row in itertools.islice(sera_swezero.iter_rows("sera-hermes", upstream="sample"), 2):
        turns = sum(message["train"] for message in row["messages"])
        assert f"{row['instance_id']} {row['outcome']} {turns} turns: ['<think>', " in first
    for name in sampled_configs():
        assert re.search(rf"^{re.escape(name)} .* yes ", same, re.MULTILINE)
        rows = sera_swezero.iter_rows(name, view="rectified", upstream="sample")
        list(rows)
        report = rows.report
        numbers = re.search(rf"^{re.escape(name)} +(\d+) +(\d+) +(\d+)", counts, re.MULTILINE)
        assert tuple(map(int, numbers.groups())) == (report.rows_in, report.rows_out, report.rejected.total())
        assert all(reason in reasons for reason in report.rejected)


def test_the_demo_begins_with_the_readmes_example():
    assert f"```python\n{EXAMPLE}\n```" in (HERE / "README.md").read_text(encoding="utf-8")
