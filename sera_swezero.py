"""Loading script for datasets 3.x: load_dataset("./sera_swezero.py", "glm-4.6-lite-t2", trust_remote_code=True).

The package of the same name must be installed. Never upload this file to a dataset repo: datasets 4 and later refuse a
repo that holds a script of its own name.
"""

from sera_swezero.loading.builder import SeraSweZero as _SeraSweZero


class SeraSweZero(_SeraSweZero):
    """The package's builder, defined here because datasets 3.x looks for a class of the script's own."""
