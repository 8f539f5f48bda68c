"""Rows as files for other tools: one trajectory per file."""

from __future__ import annotations

from sera_swezero.export.trajectory_files import FORMATS, Exported, export

__all__ = ["FORMATS", "Exported", "export"]
