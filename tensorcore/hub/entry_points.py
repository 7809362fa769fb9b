"""Models of repositories: functions of a ``hubconf.py``."""

from __future__ import annotations

import builtins
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from tensorcore.errors import ArgumentError
from tensorcore.hub.repositories import fetch

__all__ = ["help", "list", "load"]

CONFIGURATION: Final = "hubconf.py"
#: The name in `hubconf.py` that lists packages it needs.
_DEPENDENCIES: Final = "dependencies"


def load(
    repo_or_dir: str | os.PathLike[str],
    model: str,
    *args: Any,
    source: str = "github",
    trust_repo: bool | str | None = None,
    force_reload: bool = False,
    verbose: bool = True,
    skip_validation: bool = False,
    **kwargs: Any,
) -> Any:
    """What the function ``model`` of a repository's ``hubconf.py`` returns for the arguments, mostly a module.

    Args:
        repo_or_dir: a repository of GitHub, ``"owner/name"`` or ``"owner/name:branch"``; with ``source="local"`` a
            folder.
        model: the function's name.
        args, kwargs: its arguments.
        source: ``"github"`` or ``"local"``.
        trust_repo: ``True`` to run a downloaded repository's code without a question, and to remember it; ``None`` or
            ``"check"`` asks unless it is remembered; ``False`` always asks.
        force_reload: download it again.
        verbose: tell what is downloaded or found.
        skip_validation: do not ask GitHub whether a branch or commit is the repository's own.

    Raises:
        DownloadError: if the repository cannot be had, or is not trusted.
        FileNotFoundError: if it has no ``hubconf.py``.
        RuntimeError: if there is no such function, or packages it needs are not installed.
        ArgumentError: for another source.

    Example:
        >>> import pathlib, tempfile
        >>> import tensorcore as tc
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "hubconf.py").write_text("import tensorcore as tc\\ndef net(n): return tc.nn.Linear(n, 1)")
        >>> tc.hub.load(folder, "net", 3, source="local")
        Linear(in_features=3, out_features=1, bias=True)
    """
    with _opened(_folder(repo_or_dir, source, force_reload, trust_repo, verbose, skip_validation)) as module:
        return _entry(module, model)(*args, **kwargs)


def list(
    github: str | os.PathLike[str],
    force_reload: bool = False,
    skip_validation: bool = False,
    trust_repo: bool | str | None = None,
    verbose: bool = True,
    *,
    source: str = "github",
) -> builtins.list[str]:
    """The functions of a repository's ``hubconf.py``; ``source="local"`` takes a folder.

    Raises:
        DownloadError, FileNotFoundError, RuntimeError: as `load`.

    Example:
        >>> import pathlib, tempfile
        >>> import tensorcore as tc
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "hubconf.py").write_text("def net(): return 5")
        >>> tc.hub.list(folder, source="local")
        ['net']
    """
    with _opened(_folder(github, source, force_reload, trust_repo, verbose, skip_validation)) as module:
        return [name for name, value in vars(module).items() if _is_entry(name, value)]


def help(
    github: str | os.PathLike[str],
    model: str,
    force_reload: bool = False,
    skip_validation: bool = False,
    trust_repo: bool | str | None = None,
    *,
    source: str = "github",
) -> str | None:
    """The docstring of a function of a repository's ``hubconf.py``; ``source="local"`` takes a folder.

    Raises:
        DownloadError, FileNotFoundError, RuntimeError: as `load`.

    Example:
        >>> import pathlib, tempfile
        >>> import tensorcore as tc
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "hubconf.py").write_text("def net():\\n    'Five.'")
        >>> tc.hub.help(folder, "net", source="local")
        'Five.'
    """
    with _opened(_folder(github, source, force_reload, trust_repo, True, skip_validation)) as module:
        return _entry(module, model).__doc__


def _folder(where: Any, source: str, force_reload: bool, trust: Any, verbose: bool, skip_validation: bool) -> Path:
    if source not in ("github", "local"):
        raise ArgumentError(f"hub: source is 'github' or 'local', got {source!r}")
    if source == "local":
        return Path(where).expanduser()
    return fetch(os.fspath(where), force_reload, trust, verbose, skip_validation)


@contextmanager
def _opened(folder: Path) -> Iterator[ModuleType]:
    """The module ``hubconf.py``, the folder on the path meanwhile so that it finds its neighbours."""
    path = folder / CONFIGURATION
    if not path.is_file():
        raise FileNotFoundError(f"hub: {str(folder)!r} has no {CONFIGURATION}, so it offers no models")
    place = str(folder.resolve())
    sys.path.insert(0, place)
    try:
        spec: Any = importlib.util.spec_from_file_location(CONFIGURATION, path)
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except ModuleNotFoundError as error:
            # What it says it needs tells more than the first import that fails.
            _check_dependencies(module)
            raise RuntimeError(f"hub: {path} needs {error.name!r}, which is not installed") from error
        _check_dependencies(module)
        yield module
    finally:
        sys.path.remove(place)


def _check_dependencies(module: ModuleType) -> None:
    missing = [name for name in getattr(module, _DEPENDENCIES, ()) or () if not _is_installed(name)]
    if missing:
        raise RuntimeError(f"Missing dependencies: {', '.join(missing)}; the repository needs them, install them first")


def _is_installed(name: str) -> bool:
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _is_entry(name: str, value: Any) -> bool:
    return callable(value) and not name.startswith("_")


def _entry(module: ModuleType, name: str) -> Callable[..., Any]:
    found = getattr(module, name, None) if isinstance(name, str) else None
    if callable(found):
        return found
    known = [each for each, value in vars(module).items() if _is_entry(each, value)]
    raise RuntimeError(f"Cannot find callable {name} in hubconf; it offers {', '.join(known) or 'none'}")
