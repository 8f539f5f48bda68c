"""Chat templates: what they keep of a row, and whether a model is trained on what it is served."""
