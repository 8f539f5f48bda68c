"""Secrets in rows: every kind is found, however deep in JSON; what replaces them keeps JSON whole; code is no alarm."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

import sera_swezero
from sera_swezero.build.secret_scan import SecretScanner
from sera_swezero.sample import ROOT
from tests.support.planted_secrets import aws_secret_key, made_up
from tests.support.processes import python
from tests.support.streams import T2, make

SECRETS = made_up()


def wrapped(text: str, depth: int) -> str:
    """The text inside JSON texts inside each other."""
    for _ in range(depth):
        text = json.dumps({"content": text})
    return text


def unwrapped(text: str, depth: int) -> str:
    for _ in range(depth):
        text = json.loads(text)["content"]
    return text


@pytest.fixture(scope="module")
def scanner() -> SecretScanner:
    return SecretScanner()


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_found_and_replaced_and_the_text_around_it_stays(
    scanner: SecretScanner, kind: str, depth: int
) -> None:
    secret = SECRETS[kind]
    counts: Counter[str] = Counter()
    redacted = scanner.redacted(wrapped(f"$ cat key\n{secret}\n$ echo done", depth), counts)
    assert counts == {kind: 1}
    lead = secret.partition("=")[0] + "=" if kind == "NPM tokens" else ""
    assert unwrapped(redacted, depth) == f"$ cat key\n{lead}[REDACTED {kind}]\n$ echo done"


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_the_secret_half_of_an_aws_key_is_told_by_the_words_before_it(scanner: SecretScanner, depth: int) -> None:
    counts: Counter[str] = Counter()
    redacted = scanner.redacted(wrapped(aws_secret_key(), depth), counts)
    assert unwrapped(redacted, depth) == 'aws_secret_access_key = "[REDACTED AWS Access Key]"'
    assert counts == {"AWS Access Key": 1}


def test_a_private_key_in_lines_of_code_or_with_a_header_or_without_an_end_is_replaced_whole(
    scanner: SecretScanner,
) -> None:
    key = SECRETS["Private Key"]
    first, *body, last = key.splitlines()
    quoted = "KEY = (" + "\n".join(f'    "{line}\\n"' for line in [first, *body, last]) + "\n)"
    encrypted = "\n".join([first, "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,0A1B", "", *body, last])
    for text in (quoted, encrypted, "\n".join([first, *body])):
        counts: Counter[str] = Counter()
        left = scanner.redacted(text, counts)
        assert counts == {"Private Key": 1}
        assert not any(line in left for line in body)


def test_every_value_of_a_row_is_looked_at(scanner: SecretScanner) -> None:
    token = SECRETS["GitHub Token"]
    row = {
        "text": token,
        "leaf": [json.dumps({"content": token}).encode()],
        "messages": [{"role": "user", "content": token}],
        "raw": b"\xff" + token.encode(),
        "count": 3,
        "none": None,
    }
    assert list(scanner.kinds(row)) == ["GitHub Token"] * 4
    counts: Counter[str] = Counter()
    assert scanner.redacted(row, counts) == {
        "text": "[REDACTED GitHub Token]",
        "leaf": [b'{"content": "[REDACTED GitHub Token]"}'],
        "messages": [{"role": "user", "content": "[REDACTED GitHub Token]"}],
        "raw": b"\xff[REDACTED GitHub Token]",
        "count": 3,
        "none": None,
    }
    assert counts == {"GitHub Token": 4}


@pytest.mark.parametrize(
    "text",
    [
        'if "-----BEGIN RSA PRIVATE KEY-----" in text:\n    raise ValueError("a private key")',
        "from huggingface_hub import hf_hub_download, hf_api",
        "password = os.environ['AWS_SECRET_ACCESS_KEY']  # never a token = 'here'",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "iVBORw0KGgoAAAANSUhEUgAKIAAQAAAAAABAAHAM0AAAAB" * 4,
        "git log --format=%H ghp_short sk-learn sk-ant-hill xox-o glpat-",
    ],
)
def test_code_that_speaks_of_secrets_is_no_alarm(scanner: SecretScanner, text: str) -> None:
    assert scanner.find(text) == []


def test_the_sample_and_the_package_raise_no_alarm(scanner: SecretScanner) -> None:
    lines = [line for file in sorted(ROOT.rglob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]
    assert len(lines) > 300
    code = [file.read_text("utf-8") for file in sorted(Path(sera_swezero.__file__).parent.rglob("*.py"))]
    assert [secret for text in [*lines, *code] for secret in scanner.find(text)] == []


@pytest.mark.long
def test_two_thousand_rows_of_full_size_raise_no_alarm(scanner: SecretScanner, tmp_path: Path) -> None:
    file = make(tmp_path, 2_000)
    assert file.parent.relative_to(tmp_path).as_posix() == T2
    with file.open(encoding="utf-8") as lines:
        found = [scanner.find(line) for line in lines]
    assert len(found) == 2_000
    assert not any(found)


def test_without_the_library_the_error_says_how_to_install_it() -> None:
    code = (
        "import sys; sys.modules['detect_secrets'] = None\n"
        "from sera_swezero.build.secret_scan import SecretScanner; SecretScanner()"
    )
    says = "ConfigError: looking for secrets needs detect-secrets: pip install 'sera-swezero[secrets]'"
    assert says in python("-c", code).stderr
