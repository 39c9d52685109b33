"""Where graphflow keeps what it can make again: models, compiled kernels, the index of calculators.

None of it lies beside the installed code: that may be read-only, and whoever uninstalls it would leave a folder behind
that hides the next installation.
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """The folder that GRAPHFLOW_CACHE, an environment variable, names, else the platform's for graphflow."""
    chosen = os.environ.get("GRAPHFLOW_CACHE") or platformdirs.user_cache_dir("graphflow", False)
    return Path(chosen).expanduser().absolute()
