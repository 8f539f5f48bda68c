"""Typed decoding of raw JSON, with the slow path for text that Arrow and strict decoders refuse."""

from __future__ import annotations

from collections.abc import Iterable, Sized
from typing import TypeVar

import msgspec

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import mend_json, mend_text
from sera_swezero.errors import RowError

T = TypeVar("T")

_STRING = msgspec.json.Decoder(str)

MOST_MESSAGES = 10_000
"""The most messages that a record may have. Upstream's have some hundreds, and each takes about 9 kB to convert."""

PREFIXES = ("OBSERVATION:\n", "Observation: ")
"""What SWE-agent and mini-swe-agent put in front of an observation."""


def decode(
    decoder: msgspec.json.Decoder[T],
    text: bytes | str,
    conversions: ConversionLog,
    *,
    wrong: str,
    where: str,
    broken: str | None = None,
) -> T:
    """Decode `text` as the decoder's type.

    A lone surrogate makes msgspec refuse the whole text, even in a field that nobody reads; such text is mended
    (U+FFFD, logged) and decoded again.

    Args:
        decoder: knows the type.
        text: the JSON text.
        conversions: gets `mended_surrogate`.
        wrong: reason of the RowError where the text is JSON of another shape.
        where: the text's own path inside the record.
        broken: reason where the text is not JSON, or is nested too deeply; None for the same as `wrong`.
    """
    while True:
        try:
            return decoder.decode(text)
        except msgspec.ValidationError as error:
            raise RowError(wrong, *explain(error, where)) from None
        except RecursionError:
            raise RowError(broken or wrong, "nested too deeply to read; a few levels were expected", where) from None
        except (msgspec.DecodeError, UnicodeError) as error:
            text, count = mend_json(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
            if not count:  # nothing is left to mend
                raise RowError(broken or wrong, str(error), where) from None
            conversions.add("mended_surrogate", times=count)


def as_utf8(line: bytes, conversions: ConversionLog) -> bytes:
    """The line with bytes that are not UTF-8 mended (U+FFFD, logged); msgspec finds them only in what it decodes."""
    try:
        line.decode()
    except UnicodeDecodeError:
        line, count = mend_json(line)
        conversions.add("mended_surrogate", times=count)
    return line


def inner_json(raw: bytes, conversions: ConversionLog, wrong: str, where: str) -> bytes:
    """The JSON text of a value. A value that is a string of JSON stands for that JSON. Raises RowError `wrong`."""
    if raw[:1] != b'"':
        return raw
    return decode(_STRING, raw, conversions, wrong=wrong, where=where).encode()


def refuse_many(messages: Sized) -> None:
    """Refuse a record that has more than `MOST_MESSAGES` messages. Raises RowError `bad_messages`."""
    if len(messages) > MOST_MESSAGES:
        problem = f"{len(messages):,} messages; expected at most {MOST_MESSAGES:,}"
        raise RowError("bad_messages", problem, "$.messages")


def without_prefix(observation: str, conversions: ConversionLog) -> str:
    """An observation without the prefix that the harness puts in front of it (`PREFIXES`), which is logged."""
    for prefix in PREFIXES:
        if observation.startswith(prefix):
            conversions.append(("observation_prefix", prefix))
            return observation[len(prefix) :]
    return observation


def mend_fields(holder: msgspec.Struct, names: Iterable[str], conversions: ConversionLog) -> None:
    """Replace lone surrogates in these text fields by U+FFFD, in place and logged."""
    for name in names:
        text = getattr(holder, name)
        if text and not text.isascii():
            mended, count = mend_text(text)
            conversions.extend([("mended_surrogate", "")] * count)
            setattr(holder, name, mended)


def explain(error: Exception, where: str) -> tuple[str, str]:
    """Split msgspec's message into (problem, path), the path counted from the record's root."""
    problem, _, path = str(error).partition(" - at `$")
    return problem, where + path.rstrip("`")
