"""The file of the argument `tools`: a JSON list of the tools that the model could call, for records that name none."""

from __future__ import annotations

import json
from pathlib import Path

from sera_swezero.core.trajectory import Tools
from sera_swezero.errors import ConfigError
from sera_swezero.sources.json_record import as_tools


def read_tools(path: str) -> Tools:
    """Read the tools. Raises ConfigError."""
    try:
        listed = json.loads(Path(path).expanduser().read_text(encoding="utf-8"))
        if isinstance(listed, list):
            return as_tools(listed)
        problem = f"it holds a JSON {type(listed).__name__}"
    except OSError as error:
        problem = f"it cannot be read: {error.strerror or error}"
    except (ValueError, RecursionError) as error:
        problem = str(error)
    example = '{"type": "function", "function": {"name": "bash", "parameters": {...}}}'
    msg = f"tools={path!r} is not a list of tools ({problem}); a JSON list was expected, with objects such as {example}"
    raise ConfigError(msg)
