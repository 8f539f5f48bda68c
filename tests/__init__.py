"""A package, so that `tests.hub` is this one and not another library's `tests`."""
