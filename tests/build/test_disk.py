"""A build for which there is no room: one line says so, nothing is half there, and the next build goes on."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sera_swezero.build.runner import build
from sera_swezero.build.unit_files import STATE
from sera_swezero.errors import OutputError
from tests.build.conftest import MEGABYTE, SHARD
from tests.support.built import contents, scratch
from tests.support.processes import python
from tests.support.publishing import SERA, build_command

resource = pytest.importorskip("resource", reason="Windows has no limits of a process's files and memory")


def run(*command: str, **limits: int) -> subprocess.CompletedProcess[str]:
    """Run Python under limits of `resource`, by their names."""

    def set_limits() -> None:
        for name, most in limits.items():
            resource.setrlimit(getattr(resource, name), (most, most))

    return python(*command, preexec_fn=set_limits)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB, where the tests may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "x", place], capture_output=True, check=False
    ).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


def refused(done: subprocess.CompletedProcess[str], out: Path, why: str) -> None:
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"sera-swezero: OutputError: {out} cannot be written: {why}\n"
    assert not scratch(out)
    assert not (out / "manifest.json").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_that_may_not_grow_ends_a_build_in_one_line(
    workers: int, root: str, straight: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    refused(run(*build_command(out, root, workers), RLIMIT_FSIZE=100_000), out, "File too large")
    assert not contents(out)
    build([SERA], out, upstream=root, workers=1, shard_bytes=MEGABYTE)
    assert contents(out) == contents(straight)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_ends_a_build_in_one_line_and_what_is_done_stays(
    workers: int, root: str, straight: Path, small_disk: Path
) -> None:
    out = small_disk / "out"
    refused(run(*build_command(out, root, workers)), out, "No space left on device")
    assert 0 < len(contents(out)) < len(contents(straight))
    assert contents(out).items() <= contents(straight).items()


def test_a_full_device_is_an_error_of_the_writer() -> None:
    script = """
import os
from pathlib import Path
from sera_swezero.build.parquet_writer import Sink
sink = Sink(Path("/dev/full"), {"messages": "string"})
try:
    sink.add({"messages": os.urandom(6_000_000).hex()})
    sink.add({"messages": "a row that begins the next group"})
except OSError as error:
    print(error.strerror)
"""
    assert run("-c", script).stdout == "No space left on device\n"


def test_processes_that_cannot_be_started_end_a_build_in_one_line(root: str, tmp_path: Path) -> None:
    done = run(*build_command(tmp_path / "out", root, 60), RLIMIT_NOFILE=50)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "processes can be started: Too many open files; what is done stays" in done.stderr
    assert not scratch(tmp_path / "out")


MEMORY = """
import resource, sys
from pathlib import Path
from sera_swezero.build.runner import build
from sera_swezero.errors import BuildError
name, root, out = sys.argv[1:]
build([name], Path(out, "first"), upstream=root, workers=1, max_rows=1)  # imports everything
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
for room in range(0, 150, 10):
    resource.setrlimit(resource.RLIMIT_AS, (used + room * 1_000_000, resource.RLIM_INFINITY))
    try:
        build([name], Path(out, str(room)), upstream=root, workers=1, max_rows=100)
        print("built")
    except BuildError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of a process's memory is Linux's")
def test_too_little_memory_is_an_error_and_never_fewer_rows(root: str, tmp_path: Path) -> None:
    done = run("-c", MEMORY, SERA, root, str(tmp_path))
    said = done.stdout.splitlines()
    assert (done.returncode, len(said)) == (0, 15), done.stderr
    short = "there is too little memory; what is done stays"
    assert {"built" if line == "built" else line[: len(short)] for line in said} == {"built", short}
    whole = [tmp_path / str(10 * number) for number, line in enumerate(said) if line == "built"]
    assert all(contents(out) == contents(whole[0]) for out in whole)
    assert not any(scratch(out) for out in tmp_path.iterdir())


SHARD_0 = f"{SERA}/train-00000-of-00005"
BLOCKED = {
    "shard": (f"{SHARD_0}.parquet/", f"{SHARD_0}.parquet cannot be written: Is a directory"),
    "entry": (f"{STATE}/{SHARD_0}.json/", f"{STATE}/{SHARD_0}.json cannot be written: Is a directory"),
    "folder": (SERA, f"{SHARD_0}.parquet cannot be written: File exists"),
    "manifest": (f"{STATE}/manifest.json/", "out cannot be written: Is a directory"),
    "lock": (f"{STATE}/lock/", "out cannot be written: Is a directory"),
    "state": (STATE, "out cannot be written: File exists"),
}


@pytest.mark.parametrize(("place", "message"), BLOCKED.values(), ids=BLOCKED)
def test_something_else_in_a_place_is_named(place: str, message: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if place != STATE:
        (out / STATE).mkdir(parents=True)
    (out / place).parent.mkdir(parents=True, exist_ok=True)
    (out / place).mkdir() if place.endswith("/") else (out / place).touch()
    with pytest.raises(OutputError, match=f"{message}$"):
        build([SERA], out, upstream="sample", workers=1, shard_bytes=SHARD)
    assert place == STATE or not scratch(out)
    assert not (out / "manifest.json").exists()


@pytest.mark.parametrize("place", ["{}/file/out", "/proc/out", "/sys/kernel/out"])
def test_a_folder_that_cannot_be_made_is_named(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = Path(place.format(tmp_path))
    with pytest.raises(OutputError, match=f"^{out} cannot be written: "):
        build([SERA], out, upstream="sample", workers=1, max_rows=1)


def test_names_that_are_like_a_scratch_folder_are_left_alone(tmp_path: Path) -> None:
    strange = [f"part-{socket.gethostname()}-{pid}-x" for pid in ("notes", "\u00b2", 10**30)]
    for name in strange:
        (tmp_path / STATE / name).mkdir(parents=True)
    build([SERA], tmp_path, upstream="sample", workers=1, max_rows=1)
    assert [path.name for path in scratch(tmp_path)] == sorted(strange)
