"""Find keys, tokens and private keys in rows, and replace them.

The forms are those of detect-secrets (the extra `secrets`) that are distinctive enough not to be mistaken for code. Its
detectors of entropy and of words such as "password" would raise an alarm on almost any program. Kinds that it lacks are
in `_MORE`.

A row holds text that is escaped as JSON once or twice. If a form asks for a quote or the end of a line, an escaped one
also counts: for the search, each escape is replaced by what it stands for, in the same length. A secret is replaced by
plain ASCII without quotes or backslashes, so JSON stays JSON.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from sera_swezero.errors import ConfigError

_LIBRARY = "detect-secrets"

_LIBRARY_KINDS = {
    "AWS Access Key": r"AKIA|ASIA|ABIA|ACCA|A3T|(?i:aws).{0,40}(?i:key|pwd|pw|pass|token)",
    "Azure Storage Account access key": "AccountKey=",
    "GitHub Token": "gh[pousr]_",
    "GitLab Token": "gl(?:pat|dt|ft|soat|rt|cbt|imt|ptt|agent|oas)-|GR1348941",
    "NPM tokens": "_authToken=",
    "OpenAI Token": "T3BlbkFJ",
    "PyPI Token": "pypi-Ag",
    "SendGrid API Key": r"SG\.",
    "Slack Token": r"xox[a-z]-|hooks\.slack\.com",
    "Square OAuth Secret": "sq0csp-",
    "Stripe Access Key": "[rs]k_live_",
}
"""Kinds of the library -> a hint, which every secret of the kind contains. The forms are only tried around hints."""

_MORE = {
    "Hugging Face Token": ("hf_", r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{34}(?![A-Za-z0-9])"),
    "GitHub Token": ("github_pat_", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    "Anthropic API Key": ("sk-ant-", r"sk-ant-[a-z0-9]+-[A-Za-z0-9_-]{80,}"),
}
"""Kinds that the library lacks -> their hint and their form."""

_PRIVATE_KEY = "Private Key"
_BLOCK = r"-----(?:{headers})-----(?:\s*[A-Za-z-]+: [^\n]*\n)*[\s\"',+A-Za-z0-9/=]{{64,}}(?:-----END [A-Z0-9 ]+-----)?"
"""A whole key: its header, perhaps lines such as `Proc-Type: ...`, and what can be Base64 in quoted or plain lines. The
library looks for the header alone, which any program that reads keys contains."""

_BEFORE, _AFTER = 200, 600  # characters before and after the start of a hint that are searched
_LONGEST_KEY = 16_384
_ESCAPE = re.compile(r'\\+(["nrt])')
_LEAST = 16  # characters of a secret at least; a shorter group of a form is only its prefix


class Secret(NamedTuple):
    """A secret in a text."""

    start: int
    stop: int
    kind: str


class _Form(NamedTuple):
    kind: str
    hint: re.Pattern[str]
    """What every secret of the form contains."""
    form: re.Pattern[str]
    after: int
    """Characters from the hint on that are searched."""


class SecretScanner:
    """Finds secrets. Raises ConfigError if the extra `secrets` is not installed."""

    def __init__(self) -> None:
        try:
            from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

            self.name = f"{_LIBRARY} {version(_LIBRARY)}"
            """The library and its version, which decide what is found."""
        except (ImportError, PackageNotFoundError) as error:
            msg = f"looking for secrets needs {_LIBRARY}: pip install 'sera-swezero[secrets]'"
            raise ConfigError(msg) from error
        library: Any = get_mapping_from_secret_type_to_class()
        block = _BLOCK.format(headers="|".join(form.pattern for form in library[_PRIVATE_KEY].denylist))
        forms = [
            (kind, hint, form.pattern, form.flags)
            for kind, hint in _LIBRARY_KINDS.items()
            for form in library[kind].denylist
        ]
        forms += [(kind, hint, form, 0) for kind, (hint, form) in _MORE.items()]
        self._forms = [
            _Form(kind, re.compile(hint), re.compile(form, flags), _AFTER) for kind, hint, form, flags in forms
        ]
        self._forms.append(_Form(_PRIVATE_KEY, re.compile("PRIVATE KEY"), re.compile(block), _LONGEST_KEY))
        self._hints = "|".join(dict.fromkeys(one.hint.pattern for one in self._forms))

    def find(self, text: str) -> list[Secret]:
        """The secrets in a text, in order; none of them lies inside another."""
        secrets: list[Secret] = []
        if self._may_hold_any(text):
            found = {secret for form in self._forms for secret in _around_hints(text, form)}
            for secret in sorted(found, key=lambda one: (one.start, -one.stop)):
                if not secrets or secret.start >= secrets[-1].stop:
                    secrets.append(secret)
        return secrets

    def _may_hold_any(self, text: str) -> bool:
        # Arrow's engine looks for all hints at once: a text of 190 kB takes 0.6 ms, and 3 ms with `re`.
        import pyarrow as pa
        import pyarrow.compute as pc

        data = pa.array([text.encode("utf-8", "surrogatepass")], pa.large_binary())
        return bool(pc.match_substring_regex(data, self._hints)[0].as_py())

    def kinds(self, value: Any) -> Iterator[str]:
        """The kinds of all secrets in a value of a row."""
        counts: Counter[str] = Counter()
        self.redacted(value, counts)
        return counts.elements()

    def redacted(self, value: Any, counts: Counter[str]) -> Any:
        """The value of a row with every secret replaced by `[REDACTED kind]`; these are counted in `counts` by kind."""
        if isinstance(value, str):
            parts, end = [], 0
            for start, stop, kind in self.find(value):
                parts += [value[end:start], f"[REDACTED {kind}]"]
                end = stop
                counts[kind] += 1
            return "".join([*parts, value[end:]]) if parts else value
        if isinstance(value, bytes):
            return self.redacted(value.decode("utf-8", "surrogateescape"), counts).encode("utf-8", "surrogateescape")
        if isinstance(value, dict):
            return {name: self.redacted(one, counts) for name, one in value.items()}
        return [self.redacted(one, counts) for one in value] if isinstance(value, list | tuple) else value


def _around_hints(text: str, one: _Form) -> Iterator[Secret]:
    for hint in one.hint.finditer(text):
        first = max(0, hint.start() - _BEFORE)
        window = _ESCAPE.sub(_meant, text[first : hint.start() + one.after])
        for match in one.form.finditer(window):
            groups = (match.span(number) for number in range(1, len(match.groups()) + 1))
            start, stop = next((span for span in groups if span[1] - span[0] >= _LEAST), match.span())
            if start == match.start() and window[start - 1 : start].isalnum() and window[start].isalnum():
                continue  # in the middle of a longer word, such as an image in Base64
            yield Secret(first + start, first + stop, one.kind)


def _meant(escape: re.Match[str]) -> str:
    """What an escape stands for, repeated to the length of the escape, so that all places stay the same."""
    return ('"' if escape[1] == '"' else "\n") * len(escape[0])
