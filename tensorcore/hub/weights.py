"""Weights by URL."""

from __future__ import annotations

import os
import re
import sys
import zipfile
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlparse

from tensorcore.errors import ArgumentError, CheckpointError
from tensorcore.hub.download import download_url_to_file
from tensorcore.hub.folders import get_dir

__all__ = ["load_state_dict_from_url"]

#: The beginning of the SHA-256 in names such as ``resnet18-f37072fd.pth``.
_HASH: Final = re.compile(r"-([a-f0-9]+)\.")


def load_state_dict_from_url(
    url: str,
    model_dir: str | os.PathLike[str] | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = True,
) -> dict[str, Any]:
    """What `tensorcore.load` makes of the file at ``url``, which is downloaded unless it is there.

    Args:
        url: where the file is.
        model_dir: the folder that keeps it; ``checkpoints`` in `get_dir` by default.
        map_location: where tensors go, as `tensorcore.load` takes it.
        progress: whether to draw a bar on terminals.
        check_hash: take the end of the name, as in ``resnet18-f37072fd.pth``, for the beginning of the file's SHA-256.
        file_name: what to call the file; the end of the URL by default.
        weights_only: ``False`` runs what code the file names; PyTorch's default.

    Raises:
        DownloadError: if it cannot be had, or is not the file that its name says; names where to put it by hand.
        CheckpointError: if it is no checkpoint.
        ArgumentError: if a file's name holds no hash to check.

    Example:
        >>> import pathlib, tempfile
        >>> import tensorcore as tc
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> tc.save({"weight": tc.ones(2)}, folder / "there.pth")
        >>> tc.hub.load_state_dict_from_url((folder / "there.pth").as_uri(), folder / "kept", progress=False)
        {'weight': tensor([1., 1.])}
    """
    from tensorcore.serialization import load

    folder = Path(get_dir()) / "checkpoints" if model_dir is None else Path(model_dir).expanduser()
    name = file_name or unquote(os.path.basename(urlparse(url).path))
    if not name or os.path.basename(name) != name:
        raise ArgumentError(f"load_state_dict_from_url: {name!r} is no name of a file; give file_name= one")
    prefix = _hash_in(name, url) if check_hash else None
    path = folder / name
    if not path.is_file():
        if progress and sys.stderr is not None:
            print(f'Downloading: "{url}" to {path}', file=sys.stderr)
        download_url_to_file(url, path, prefix, progress)
    return load(_unpacked(path), map_location=map_location, weights_only=weights_only)


def _hash_in(name: str, url: str) -> str:
    found = _HASH.search(name) or _HASH.search(os.path.basename(urlparse(url).path))
    if found is None:
        raise ArgumentError(
            f"load_state_dict_from_url: check_hash expects the beginning of the SHA-256 in the name, as in "
            f"resnet18-f37072fd.pth, got {name!r}"
        )
    return found[1]


def _unpacked(path: Path) -> Path:
    """The checkpoint itself, where it came as the only file of a zip archive, as some did before 2020."""
    if not zipfile.is_zipfile(path):
        return path
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if len(members) != 1 or members[0].is_dir():
            return path
        from tensorcore.serialization.files import atomic_write

        name = os.path.basename(members[0].filename)
        inner = path.parent / name
        if not name or inner == path:
            raise CheckpointError(f"{path}: a zip archive whose only file has no usable name")
        if not inner.is_file() or inner.stat().st_size != members[0].file_size:
            import shutil

            with archive.open(members[0]) as source, atomic_write(inner, "load_state_dict_from_url") as target:
                shutil.copyfileobj(source, target)
        return inner
