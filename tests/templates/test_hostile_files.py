"""Templates and tokenizers from files that somebody else wrote: they are data, and never run code."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import pytest

from sera_swezero.errors import ConfigError
from sera_swezero.templates.survival import look
from sera_swezero.views.chat_template import load_template
from sera_swezero.views.tokenizer import encode

pytestmark = pytest.mark.matrix  # the oldest Jinja, too

RUN = "os.system('touch ' ~ messages[0].content)"
# Ways out of a sandbox: attributes, globals of what a template may call, str.format directly, by `attr` and by a filter
# that calls its argument (CVE-2016-10745, CVE-2019-10906, CVE-2024-56326, CVE-2025-27516), frames, other files.
ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ messages|map(attribute='__class__')|join }}",
    "{{ messages|map('attr', '__class__')|join }}",
    *(
        "{{ " + f"{name}.{RUN}" + " }}"
        for name in (
            "cycler.__init__.__globals__",
            "joiner.__init__.__globals__",
            "namespace.__init__.__globals__",
            "lipsum.__globals__",
            "raise_exception.__globals__",
            "strftime_now.__globals__",
            "self.__init__.__globals__",
            "self._TemplateReference__context.environment.loader.__init__.__globals__",
        )
    ),
    "{{ '{0.__class__}'.format(messages) }}",
    "{{ '{m.__class__}'.format_map({'m': messages}) }}",
    "{{ ('{0.__class__}'|attr('format'))(messages) }}",
    "{{ (['{0.__class__}']|map(attribute='format')|first)(messages) }}",
    "{% set f = '{0.__class__}'.format %}{{ f(messages) }}",
    "{{ cycler|tojson(default='{0.__class__}'.format) }}",
    "{{ messages|tojson(cls=cycler) }}",
    "{% macro m() %}{% endmacro %}{{ m.__code__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{{ (messages|map('upper')).gi_frame.f_globals }}",
    "{{ messages.append(1) }}",
    "{{ messages[0].update(role='model') }}",
    "{% include '/etc/passwd' %}",
    "{% import '/etc/passwd' as p %}",
    "{% extends '/etc/passwd' %}",
    "{{ range(10 ** 9)|list }}",
    "{{ 1 / 0 }}",
]


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_template_of_a_file_gets_out_of_nothing(escape: str, tmp_path: Path) -> None:
    made = tmp_path / "made"
    path = tmp_path / "template.jinja"
    path.write_text(escape + "{% for message in messages %}{{ message.role }}{% endfor %}")
    row = {"messages": [{"role": "user", "content": str(made)}], "tools": []}
    found = look([row], "openai", load_template(str(path)))
    (failure,) = found.failed or {"rendered": 1}
    text = "" if found.failed else load_template(str(path)).render(row["messages"], None).text
    assert (failure != "rendered") or text == "user", "it is refused, or nothing comes of it"
    assert not made.exists()
    assert row["messages"] == [{"role": "user", "content": str(made)}]


class Pickled:
    """Runs a command when it is unpickled."""

    def __init__(self, made: Path) -> None:
        self._made = made

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._made),)


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer.pkl", "tokenizer.model", "tokenizer.bin"])
def test_a_tokenizer_is_never_unpickled(name: str, tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    made = tmp_path / "made"
    path = tmp_path / name
    path.write_bytes(pickle.dumps(Pickled(made)))
    for tokenizer in (path, tmp_path):
        with pytest.raises(ConfigError, match=r"of the `tokenizers` package|has no tokenizer\.json"):
            encode(str(tokenizer), "text")
    assert not made.exists()
    pickle.loads(path.read_bytes())
    assert made.exists(), "it would have run"


BROKEN = {
    "a pickle": ("tokenizer_config.json", pickle.dumps({}), "a JSON object was expected"),
    "a list": ("tokenizer_config.json", b"[]", "a JSON object was expected"),
    "a number": ("tokenizer_config.json", b'{"chat_template": 5}', "its chat_template: Expected "),
    "no name": (
        "tokenizer_config.json",
        json.dumps({"chat_template": [{}]}).encode(),
        "its chat_template: Object miss",
    ),
    "Latin-1": ("chat_template.jinja", b"\xe9", "is not a text in UTF-8"),
}


@pytest.mark.parametrize(("name", "content", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_of_a_tokenizer_is_named(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        load_template(None, str(tmp_path))
