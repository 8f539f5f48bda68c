"""Chat templates: found by path or name, and rendered as `transformers` renders them (sandboxed Jinja, its filters).

This needs no `transformers`, because a look at what a template keeps should not need two gigabytes of a trainer. A test
holds the renderings equal.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import msgspec
from jinja2.ext import Extension, loopcontrols
from jinja2.nodes import CallBlock, Node
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sera_swezero.errors import ConfigError
from sera_swezero.views.tokenizer import file_of

FAILURES = (jinja2.TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What rendering a template may raise: errors of Jinja, and those of Python, which Jinja runs it as."""

_ATTRIBUTES_OF_DICT = frozenset(dir(dict))
_NAMED = {"trl": "chat_templates", "transformers": "chat_templates"}
"""Installed package -> its folder of `<name>.jinja` files."""


class RenderedChat(NamedTuple):
    """A chat as text."""

    text: str
    trained: list[tuple[int, int]]
    """(start, end) in characters of each part that the template marks as written by the model."""


class ChatTemplate:
    """A chat template, ready to render.

    Args:
        name: what to call it in messages.
        text: the template.
        variables: what the template may use besides the chat, such as special tokens.

    Raises:
        ConfigError: the text is not a Jinja template.
    """

    def __init__(self, name: str, text: str, variables: Mapping[str, Any] | None = None) -> None:
        self.name = name
        self.marks = re.search(r"\{%-?\s*generation\s*-?%\}", text) is not None
        """Whether it marks the model's parts (`{% generation %}`), which training on these parts only needs."""
        self._variables = dict(variables or {})
        self.digest = hashlib.sha256(json.dumps([text, self._variables]).encode()).hexdigest()
        """The same for templates that render alike."""
        # Two texts that cannot occur in a row, to put around each part of the model.
        self._open, self._close = (f"[{word} {secrets.token_hex(16)}]" for word in ("open", "close"))
        try:
            self._compiled = _environment(self._open, self._close).from_string(text)
        except jinja2.TemplateSyntaxError as error:
            msg = f"template {name!r}: line {error.lineno}: {error.message}"
            raise ConfigError(msg) from None

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        tools: Sequence[Mapping[str, Any]] | None,
        *,
        generation_prompt: bool = False,
    ) -> RenderedChat:
        """Render a chat, with `generation_prompt` up to where the model continues. Raises one of `FAILURES`."""
        # gpt-oss templates have another name for the reasoning; transformers passes both.
        chat = [{"thinking": m["reasoning_content"], **m} if m.get("reasoning_content") else m for m in messages]
        marked = self._compiled.render(
            messages=chat, tools=tools, add_generation_prompt=generation_prompt, **self._variables
        )
        if not self.marks:
            return RenderedChat(marked, [])
        pieces: list[str] = []
        trained: list[tuple[int, int]] = []
        length = start = 0
        for piece in re.split(f"({re.escape(self._open)}|{re.escape(self._close)})", marked):
            if piece == self._open:
                start = length
            elif piece == self._close:
                trained.append((start, length))
            else:
                pieces.append(piece)
                length += len(piece)
        return RenderedChat("".join(pieces), trained)


class _NamedTemplate(msgspec.Struct):
    """One of several templates of a tokenizer."""

    name: str
    template: str


def load_template(name: str | None, tokenizer: str | None = None) -> ChatTemplate:
    """Load a template: from a file, from an installed `trl` or `transformers` by its name, or from the tokenizer.

    Args:
        name: path or name, such as `qwen3` or `glm4moe_training`; None for the template of the tokenizer.
        tokenizer: hub id, folder or file; its special tokens are variables of the template.

    Raises:
        ConfigError: there is no such template, or a file is of another format.
    """
    if name is None:
        own = own_template(tokenizer) if tokenizer else None
        if own is None:
            msg = "no template: pass the path or name of one, or a tokenizer that has its own"
            raise ConfigError(msg)
        return own
    path = Path(name)
    if not path.is_file():
        known = {file.stem: file for file in _installed()}
        if name not in known:
            names = ", ".join(sorted(known)) or "none, since neither trl nor transformers is installed"
            msg = f"template {name!r}: no such file, and no template of that name; there are {names}"
            raise ConfigError(msg)
        path = known[name]
    return ChatTemplate(name, _template_text(path), _special_tokens(_tokenizer_config(tokenizer)))


def own_template(tokenizer: str) -> ChatTemplate | None:
    """The template that a tokenizer brings, None if it has none. Raises ConfigError as `load_template` does."""
    config = _tokenizer_config(tokenizer)
    path = file_of(tokenizer, "chat_template.jinja")
    text = _template_text(path) if path is not None else _template_of(tokenizer, config)
    return None if text is None else ChatTemplate(tokenizer, text, _special_tokens(config))


def _installed() -> list[Path]:
    specs = ((find_spec(package), folder) for package, folder in _NAMED.items())
    roots = [Path(place) / folder for spec, folder in specs if spec for place in spec.submodule_search_locations or ()]
    return [file for root in roots for file in root.glob("*.jinja")]


def _special_tokens(config: Mapping[str, Any]) -> dict[str, str]:
    return {key: _text(value) for key, value in config.items() if key.endswith("_token") and _text(value)}


def _tokenizer_config(tokenizer: str | None) -> dict[str, Any]:
    path = file_of(tokenizer, "tokenizer_config.json") if tokenizer else None
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any]) if path else {}
    except (msgspec.DecodeError, UnicodeError) as error:
        msg = f"tokenizer={tokenizer!r}: {path}: {error}; a JSON object was expected"
        raise ConfigError(msg) from error


def _template_of(tokenizer: str, config: Mapping[str, Any]) -> str | None:
    try:
        own = msgspec.convert(config.get("chat_template"), str | list[_NamedTemplate] | None)
    except msgspec.ValidationError as error:
        msg = f"tokenizer={tokenizer!r}: its chat_template: {error}"
        raise ConfigError(msg) from error
    return next((one.template for one in own if one.name == "default"), None) if isinstance(own, list) else own


def _template_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        msg = f"template {str(path)!r} is not a text in UTF-8: {error.reason} at byte {error.start}"
        raise ConfigError(msg) from error


def _text(value: Any) -> str:
    """The text of a special token, which may be given as text or as an object."""
    return value if isinstance(value, str) else value.get("content", "") if isinstance(value, dict) else ""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, made faster, because a check of serving renders a row as often as it has turns."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._safe: dict[tuple[type, str], bool] = {}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """As in the sandbox, but without raising and catching an AttributeError for every key of a message."""
        if type(obj) is dict and attribute in obj and attribute not in _ATTRIBUTES_OF_DICT:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """As in the sandbox, but remembered: the answer depends on the type and the name alone."""
        key = (type(obj), attr)
        if key not in self._safe:
            self._safe[key] = super().is_safe_attribute(obj, attr, value)
        return self._safe[key]


def _environment(opening: str, closing: str) -> ImmutableSandboxedEnvironment:
    class Generation(Extension):
        """The tag `{% generation %}`: its content was written by the model."""

        tags = {"generation"}  # noqa: RUF012 (as in the base class)

        def parse(self, parser: Parser) -> Node:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return CallBlock(self.call_method("_mark"), [], [], body).set_lineno(line)

        def _mark(self, caller: Any) -> str:
            return f"{opening}{caller()}{closing}"

    environment = _Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    environment.filters["tojson"] = _tojson
    environment.globals |= {"raise_exception": _raise, "strftime_now": _now}
    return environment


def _tojson(
    value: Any, ensure_ascii: Any = None, indent: Any = None, separators: Any = None, sort_keys: Any = None
) -> str:
    # Jinja's own filter escapes HTML. Other arguments of `json.dumps` would be called outside the sandbox.
    return json.dumps(
        value, ensure_ascii=bool(ensure_ascii), indent=indent, separators=separators, sort_keys=bool(sort_keys)
    )


def _raise(message: str) -> None:
    raise jinja2.TemplateError(message)


def _now(pattern: str) -> str:
    return datetime.now().strftime(pattern)  # noqa: DTZ005 (as in transformers)
