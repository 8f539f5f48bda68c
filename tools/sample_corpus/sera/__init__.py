"""SERA rows: SWE-agent histories in JSONL."""
