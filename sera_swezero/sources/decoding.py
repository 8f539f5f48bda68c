"""Typed decoding of raw JSON, with the slow path for text that Arrow and strict decoders refuse."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from sera_swezero.core.conversions import Notes
from sera_swezero.core.text import mend_json
from sera_swezero.errors import RowError

T = TypeVar("T")


def decode(
    decoder: msgspec.json.Decoder[T], text: bytes | str, notes: Notes, *, broken: str, wrong: str, where: str
) -> T:
    """Decode `text` as the decoder's type.

    A lone surrogate makes msgspec refuse the whole text, even in a field that nobody reads; such text is mended
    (U+FFFD, noted) and decoded again.

    Args:
        decoder: knows the type.
        text: the JSON text.
        notes: gets `mended_surrogate`.
        broken: reason of the RowError where the text is no JSON, or JSON nested beyond reason.
        wrong: reason where it is JSON of another shape.
        where: the text's own path inside the record.
    """
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        raise RowError(wrong, *told(error, where)) from None
    except RecursionError:
        raise _too_deep(broken, where) from None
    except (msgspec.DecodeError, UnicodeError) as error:
        mended, count = mend_json(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        if not count:
            raise RowError(broken, str(error), where) from None
    notes.add("mended_surrogate", times=count)
    try:
        return decoder.decode(mended)
    except msgspec.ValidationError as error:
        raise RowError(wrong, *told(error, where)) from None
    except RecursionError:
        raise _too_deep(broken, where) from None
    except msgspec.DecodeError as error:
        raise RowError(broken, str(error), where) from None


def told(error: Exception, where: str) -> tuple[str, str]:
    """Split msgspec's message into (problem, path), the path counted from the record's root."""
    problem, _, path = str(error).partition(" - at `$")
    return problem, where + path.rstrip("`")


def _too_deep(reason: str, where: str) -> RowError:
    return RowError(reason, "nested too deeply to read; a few levels were expected", where)
