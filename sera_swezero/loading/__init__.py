"""The ways in to `datasets`."""
