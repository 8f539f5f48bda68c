"""The system text of rectified rows: a tool-use protocol in our own words, the tools' JSON schemas, the briefing.

The card says that its system text is "tool-use protocol + JSON tool schemas + SWE-agent instructions"; the words here
are ours.
"""

from __future__ import annotations

import json
from functools import lru_cache

from sera_swezero.core.trajectory import Tools

PROTOCOL = """\
## Tool-Use Protocol

1. Think before every action, inside <think>...</think>.
2. Call one tool per turn, as a JSON object with the keys "name" and "arguments" inside <tool_call>...</tool_call>.
3. The result of the call comes back inside <tool_response>...</tool_response>.
4. Think again about the result before you act again.
5. When the task is done, finish inside <answer>...</answer>."""


@lru_cache(maxsize=64)
def preamble(tools: Tools) -> str:
    """Protocol and tool schemas, one JSON line per tool."""
    lines = "\n".join(json.dumps(json.loads(tool)["function"], ensure_ascii=False) for tool in tools)
    return f"{PROTOCOL}\n\n## Available Tools\n\n{lines}"


def system_text(tools: Tools, briefing: str) -> str:
    """The whole system text of a rectified row."""
    return f"{preamble(tools)}\n\n{briefing}" if briefing else preamble(tools)
