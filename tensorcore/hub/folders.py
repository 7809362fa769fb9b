"""Where downloads are kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["get_dir", "home", "set_dir"]

#: Names the environment variable with the folder of all that is kept.
HOME: Final = "TENSORCORE_HOME"

_chosen: str | None = None


def home() -> Path:
    """The folder of what is kept between runs: ``TENSORCORE_HOME``, or ``tensorcore`` in the user's cache folder.

    Example:
        >>> import os
        >>> from tensorcore.hub.folders import home
        >>> os.environ["TENSORCORE_HOME"] = "/somewhere"
        >>> home().name
        'somewhere'
        >>> del os.environ["TENSORCORE_HOME"]
    """
    chosen = os.environ.get(HOME)
    if chosen:
        return Path(chosen).expanduser()
    # The XDG base directory specification: paths that are not absolute are ignored.
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if os.path.isabs(cache) else Path("~/.cache").expanduser()) / "tensorcore"


def get_dir() -> str:
    """The folder of repositories and weights: what `set_dir` chose, or ``hub`` in `home`.

    Example:
        >>> import os
        >>> import tensorcore as tc
        >>> os.path.basename(tc.hub.get_dir())
        'hub'
    """
    return str(home() / "hub") if _chosen is None else _chosen


def set_dir(d: str | os.PathLike[str]) -> None:
    """Choose the folder of repositories and weights for this process.

    Example:
        >>> import tensorcore as tc
        >>> before = tc.hub.get_dir()
        >>> tc.hub.set_dir("downloads")
        >>> tc.hub.get_dir()
        'downloads'
        >>> tc.hub.set_dir(before)
    """
    global _chosen
    _chosen = os.path.expanduser(os.fspath(d))
