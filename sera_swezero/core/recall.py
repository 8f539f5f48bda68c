"""Line-level recall: how much of the target patch the rollout's patch reproduces.

The definition is SERA's own evaluation (`compare_patch_recall`): from each patch keep the lines that start with + or -,
skip headers (`---`, `+++`) and lines that are blank after their sign; recall is the number of target lines found among
the produced ones, each produced line used once, over the number of target lines. Sign and white space count. Upstream
reduces the ratio to a boolean by a threshold; here it stays the ratio.

Two quirks are upstream's and kept: lines are Python's `str.splitlines` (so a form feed or U+2028 ends one too), and a
removed line that starts with `--` after its sign looks like a header and is skipped.
"""

from __future__ import annotations

from collections import Counter


def changed_lines(patch: str) -> Counter[str]:
    """The changed lines of a unified diff, signs included, as a multiset."""
    signed = [line for line in patch.splitlines() if line.startswith(("+", "-"))]
    return Counter([line for line in signed if not line.startswith(("---", "+++")) and line[1:].strip()])


def line_level_recall(target_patch: str | None, rollout_patch: str | None) -> float | None:
    """Share of the target's changed lines that the rollout's patch holds, 0.0 to 1.0; None where it has none."""
    target = changed_lines(target_patch or "")
    if not target:
        return None
    return (target & changed_lines(rollout_patch or "")).total() / target.total()
