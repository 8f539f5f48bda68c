"""Rendering through a chat template: what it costs."""

from __future__ import annotations

import time

from sera_swezero.templates.chat_template import ChatTemplate
from sera_swezero.templates.survival import look


def test_a_text_that_looks_like_a_mark_costs_no_more_than_its_length() -> None:
    template = ChatTemplate("plain", "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
    texts = ("[" + "x" * 400_000, "[x" * 200_000)
    rows = [{"messages": [{"role": role, "content": text} for role in ("user", "assistant")]} for text in texts]
    begun = time.monotonic()
    found = look([row | {"tools": []} for row in rows], "openai", template)
    assert time.monotonic() - begun < 5
    assert found.rows == 2
    assert found.kept == found.total
