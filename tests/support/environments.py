"""A virtual environment like a new user's, made in seconds and without a network."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path


def new_environment(folder: Path) -> Path:
    """Make an environment that finds the dependencies installed here, but not this package; return its `bin`."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    where = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", vars=where))
    (site / "installed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return Path(sysconfig.get_path("scripts", vars=where))


OFFLINE = {"PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
"""Settings that make pip install with what is there."""
