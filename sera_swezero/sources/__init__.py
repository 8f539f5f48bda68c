"""The registry of sources: one file each that ends in `SOURCE = Source(...)`, one row here, and golden cases."""

from __future__ import annotations

from sera_swezero.sources import atif_trajectory, openai_chat, sera, swe_zero
from sera_swezero.sources.source import RecordContext, Source

__all__ = ["SOURCES", "RecordContext", "Source"]

SOURCES: dict[str, Source] = {
    source.name: source for source in (sera.SOURCE, swe_zero.SOURCE, openai_chat.SOURCE, atif_trajectory.SOURCE)
}
"""Every source by name."""
