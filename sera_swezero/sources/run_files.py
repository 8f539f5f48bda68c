"""What files of one's own runs share, whichever program wrote them: JSON inside JSON, and the rectified columns."""

from __future__ import annotations

import json
from typing import Any, NamedTuple, TypeVar

import msgspec

from sera_swezero.core.conversions import ConversionLog
from sera_swezero.core.text import mend_json
from sera_swezero.core.trajectory import INCOMPLETE, STATUSES, Outcome, Tools
from sera_swezero.schemas.columns import Column, filled_text, optional_text
from sera_swezero.sources.decoding import as_utf8, decode, inner_json
from sera_swezero.sources.source import MESSAGES

T = TypeVar("T")

INSTANCE_ID = filled_text("The instance as the file names it; else the file's name.")

RECTIFIED_COLUMNS = {
    "messages": MESSAGES,
    "instance_id": INSTANCE_ID,
    "exit_status": Column(type="string", about="How the run ended.", choices=lambda: STATUSES),
    "exit_status_detail": optional_text("The same in the program's own words, such as `submitted (exit_cost)`."),
    "model": optional_text("The model, as the file names it."),
    "submission": optional_text("What the run handed in: a patch, where it wrote one."),
}
"""The rectified columns of your own runs; each program adds one, by which its rows are recognised."""


class RunRecord(msgspec.Struct, kw_only=True):
    """One run, as far as the programs record the same of it."""

    instance_id: str
    text: str
    """The JSON text of the messages."""
    place: str
    """The path of the messages in the file."""
    tools: Tools
    exit_status: str | None
    """How the run ended, in the program's own words."""
    submission: str | None
    model: str | None
    info: str | None
    """The JSON text of the member `info`."""
    outcome: Outcome = Outcome(INCOMPLETE)
    """How the run ended. It is set while the events are reported, because a file may leave it to its messages."""


def rectified_values(record: RunRecord) -> dict[str, Any]:
    """The values of `RECTIFIED_COLUMNS` but `messages`."""
    return {
        "instance_id": record.instance_id,
        "exit_status": record.outcome.status,
        "exit_status_detail": record.exit_status,
        "model": record.model,
        "submission": record.submission,
    }


def native_values(record: RunRecord) -> dict[str, Any]:
    """The values of the native columns that all programs have."""
    return {"instance_id": record.instance_id, "messages": record.text, "info": record.info}


class Nested(NamedTuple):
    """A part of a file that is JSON of its own."""

    text: str | None
    """Its JSON text, with lone surrogates mended; None where it is null or absent."""
    value: Any
    """What it holds; None where it is null or absent."""


ABSENT = msgspec.Raw(b"null")
"""Stands for a part that a file does not have."""


def nested(
    raw: msgspec.Raw, decoder: msgspec.json.Decoder[Any], conversions: ConversionLog, *, wrong: str, where: str
) -> Nested:
    """Decode a part of a file that is JSON, or a string of JSON.

    Args:
        raw: the part.
        decoder: knows its type.
        conversions: gets `mended_surrogate`.
        wrong: reason of the RowError where it is not of that type.
        where: its path inside the file.
    """
    text = bytes(raw)
    if text == b"null":
        return Nested(None, None)
    text = inner_json(text, conversions, wrong, where)
    mended = len(conversions)
    value = decode(decoder, text, conversions, wrong=wrong, where=where)
    return Nested((mend_json(text)[0] if len(conversions) > mended else text).decode(), value)


def read_file(raw: bytes | dict[str, Any], decoder: msgspec.json.Decoder[T], conversions: ConversionLog) -> T:
    """Decode a file, a line or a row of Parquet. Raises RowError `not_json`, `bad_record`."""
    data = as_utf8(raw, conversions) if isinstance(raw, bytes) else json.dumps(raw, default=str).encode()
    wrong = "bad_record" if data.lstrip()[:1] == b"{" else "not_json"
    return decode(decoder, data, conversions, wrong=wrong, where="$", broken="not_json")
