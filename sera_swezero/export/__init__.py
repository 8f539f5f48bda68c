"""Rows as files for other tools: one trajectory per file."""
