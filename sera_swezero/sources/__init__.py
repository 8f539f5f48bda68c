"""The registry of sources. A source is a file that ends in `SOURCE = Source(...)`, a row here, and golden cases."""

from __future__ import annotations

from sera_swezero.sources import atif_trajectory, mini_swe_agent, openai_chat, sera, swe_agent, swe_zero
from sera_swezero.sources.source import RecordContext, Source

__all__ = ["SOURCES", "RecordContext", "Source"]

SOURCES: dict[str, Source] = {
    module.SOURCE.name: module.SOURCE
    for module in (sera, swe_zero, swe_agent, mini_swe_agent, openai_chat, atif_trajectory)
}
"""Every source by name."""
