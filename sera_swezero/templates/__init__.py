"""Chat templates: what they keep of a row."""
