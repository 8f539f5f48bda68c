"""What was done to one row beyond moving text: a list of (kind, text), from which counts are made.

Nothing that upstream said may vanish unnoticed. Text that a view leaves out is kept here with its kind, so that a
test can show character by character that each text is in the row or in a counted drop.
"""

from __future__ import annotations

CONVERSIONS: dict[str, str] = {
    "content_differs": "`content` and `thought` of a turn differ; `thought` was taken (the card's rule)",
    "merged_visible": "visible text of a step joined its reasoning",
    "repeated_visible": "visible text that is exactly the reasoning or its tail was left out",
    "trimmed_submit": "a submit right after a submit was left out; only the first of a run is kept",
    "folded_submit": "an earlier submit was folded into the next step's reasoning",
    "folded_text": "a turn without a tool call was folded into the next step's reasoning",
    "dropped_review": "the observation of a submit (review text or final diff) was left out",
    "dropped_nudge": "what the harness or the user said after a turn was left out",
    "harness_exit": "the words with which the harness ended the rollout were taken out; they set the outcome",
    "demonstration": "a demonstration, which is not of this run, was left out",
    "other_run": "a message of another agent, or another attempt, was left out",
    "filled_reasoning": "empty reasoning was filled with a stock sentence",
    "split_calls": "a further call of a turn became a step of its own",
    "filled_answer": "no visible text to answer with: the fixed sentence takes its place",
    "answer_from_folded": "the answer is the visible text of an earlier, folded submit",
    "submit_text": "the final submit call did more than announce; its text joined the reasoning",
    "empty_arguments": "empty or null arguments were read as {}",
    "listed_arguments": "arguments that are a list became the member `arguments` of an object (ATIF)",
    "left_out_step": "a step that no model made, that was copied, or a subagent's whole trajectory was left out (ATIF)",
    "off_schema": "the arguments of a call break the tool's schema (kept: it is what the model did)",
    "unknown_tool": "a call names a tool that does not exist (kept: it is what the model did)",
    "mended_surrogate": "a lone surrogate became U+FFFD",
    "observation_prefix": "a leading `OBSERVATION:\\n` or `Observation: ` was taken off an observation",
    "truncated": "what a row has beyond `max_tokens` was left out",
    "trailing_observation": "an observation that no turn follows was left out (view sharegpt)",
    "shared_observation": "one message answered several calls; the first has it, and those of the others are empty",
    "empty_observation": "a call beside a submission has no output in the record; it got an empty one",
    "joined_turns": "two turns of one side in a row became one (view sharegpt)",
    "extra_block": "a turn holds more than one bash block; the first is the call, the rest stays text",
}
"""Kinds of conversion: kind -> meaning. The list is closed, so that reports and cards can name every kind."""


class ConversionLog(list[tuple[str, str]]):
    """The conversions of one row in order: (kind, the text that was left out or moved, "" where there is none)."""

    def add(self, kind: str, text: str = "", times: int = 1) -> None:
        """Log a conversion of `kind` (a key of `CONVERSIONS`), `times` times, with the text that it concerns."""
        self.append((kind, text))
        for _ in range(times - 1):
            self.append((kind, ""))
