"""Checkpoints in several safetensors files with an index, as model repositories hold them.

``model.safetensors.index.json`` holds ``{"metadata": {"total_size": bytes}, "weight_map": {name: file}}``; the files
are called ``model-00001-of-00003.safetensors``. What fits into one file is ``model.safetensors``, without an index.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from tensorcore.devices import Device
from tensorcore.errors import ArgumentError, CheckpointError
from tensorcore.serialization.files import atomic_write
from tensorcore.serialization.safetensors.sharing import refuse_sharing
from tensorcore.serialization.safetensors.whole import load_file, pieces, save_file
from tensorcore.tensor import Tensor

__all__ = ["load_sharded", "save_sharded"]

_UNITS: Final = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BINARY: Final = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
#: The indices that are read: of safetensors files, and of files by ``torch.save``.
_INDICES: Final = ("{}.safetensors.index.json", "pytorch_{}.bin.index.json")


def save_sharded(
    tensors: Mapping[str, Tensor],
    folder: Any,
    max_shard_size: int | str = "5GB",
    metadata: Mapping[str, str] | None = None,
    name: str = "model",
) -> list[Path]:
    """Write tensors to as many safetensors files as keep each below ``max_shard_size``, with an index if several.

    Tensors are put into files in their order; one larger than the limit has a file of its own. Files of an earlier
    checkpoint of this name are removed. The new ones take their names when all of them are whole.

    Args:
        tensors: the tensors by name.
        folder: where the files go; it is made where it is missing.
        max_shard_size: bytes, or text with a unit: ``"500MB"``, ``"5GB"`` (powers of 1000), ``"5GiB"`` (of 1024).
        metadata: text for the header of each file.
        name: what the files' names begin with.

    Returns:
        The paths of the files with tensors.

    Raises:
        ArgumentError: for a size that is none.
        TypeError, DTypeError, CheckpointError: as `save_file`.

    Example:
        >>> import tempfile
        >>> import tensorcore as tc
        >>> from tensorcore.serialization.safetensors import load_sharded, save_sharded
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     paths = save_sharded({"a": tc.ones(3), "b": tc.zeros(3)}, folder, max_shard_size=12)
        ...     [path.name for path in paths], load_sharded(folder)
        (['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'], {'a': tensor([1., 1., 1.]), 'b': tensor([0., 0., 0.])})
    """  # noqa: E501 - what the example prints is one line
    limit = _bytes(max_shard_size)
    target = Path(folder)
    refuse_sharing("save_sharded", tensors)
    shards = _split(tensors, limit)
    target.mkdir(parents=True, exist_ok=True)
    index = target / _INDICES[0].format(name)
    whole = target / f"{name}.safetensors"
    if len(shards) == 1:
        save_file(shards[0], whole, metadata)
        index.unlink(missing_ok=True)
        _remove_others(target, name, [])
        return [whole]
    paths = [target / f"{name}-{k:05}-of-{len(shards):05}.safetensors" for k in range(1, len(shards) + 1)]
    # While the files take their names there is no index: a half-done change is missing, not mixed.
    with ExitStack() as names:
        names.callback(index.unlink, missing_ok=True)
        for path, shard in zip(paths, shards, strict=True):
            file = names.enter_context(atomic_write(path, "save_sharded"))
            for piece in pieces("save_sharded", shard, metadata):
                file.write(piece)
        index.unlink(missing_ok=True)
    _write_index(index, paths, shards)
    whole.unlink(missing_ok=True)
    _remove_others(target, name, paths)
    return paths


def load_sharded(folder: Any, device: Any = None, name: str = "model", mmap: bool = False) -> dict[str, Tensor]:
    """The tensors of a checkpoint in a folder: one file, or several with their index.

    ``folder`` may be the path of the index itself. Indices of files by ``torch.save``
    (``pytorch_model.bin.index.json``) are read too.

    Raises:
        CheckpointError: if there is no checkpoint, the index is damaged or names files outside of the folder, or
            files or tensors that it names are missing.

    Example:
        >>> import tempfile
        >>> import tensorcore as tc
        >>> from tensorcore.serialization.safetensors import load_sharded, save_sharded
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = save_sharded({"a": tc.ones(2)}, folder)
        ...     load_sharded(folder)
        {'a': tensor([1., 1.])}
    """
    place = Path(folder)
    if place.is_file():
        return _load_index(place, device, mmap)
    whole = place / f"{name}.safetensors"
    if whole.is_file():
        return load_file(whole, device, mmap)
    for pattern in _INDICES:
        if (place / pattern.format(name)).is_file():
            return _load_index(place / pattern.format(name), device, mmap)
    expected = ", ".join(map(repr, (whole.name, *(pattern.format(name) for pattern in _INDICES))))
    raise CheckpointError(f"load_sharded: {str(place)!r} holds no checkpoint: expected one of {expected}")


def _bytes(size: int | str) -> int:
    if isinstance(size, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?\s*", size, re.IGNORECASE)
        if found:
            units = _BINARY if found[3] else _UNITS
            size = int(float(found[1]) * units[found[2].upper()])
    if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
        raise ArgumentError(f"save_sharded: max_shard_size is a number of bytes or like '5GB', got {size!r}")
    return size


def _split(tensors: Mapping[str, Tensor], limit: int) -> list[dict[str, Tensor]]:
    shards: list[dict[str, Tensor]] = [{}]
    room = limit
    for name, tensor in tensors.items():
        if shards[-1] and tensor.nbytes > room:
            shards.append({})
            room = limit
        shards[-1][name] = tensor
        room -= tensor.nbytes
    return shards


def _write_index(index: Path, paths: list[Path], shards: list[dict[str, Tensor]]) -> None:
    import json

    total = sum(tensor.nbytes for shard in shards for tensor in shard.values())
    table = {name: path.name for path, shard in zip(paths, shards, strict=True) for name in shard}
    content = {"metadata": {"total_size": total}, "weight_map": table}
    with atomic_write(index, "save_sharded") as file:
        file.write(json.dumps(content, indent=2).encode() + b"\n")


def _remove_others(folder: Path, name: str, kept: Iterable[Path]) -> None:
    pattern = re.compile(re.escape(name) + r"-\d{5}-of-\d{5}\.safetensors")
    names = {path.name for path in kept}
    for path in folder.iterdir():
        if pattern.fullmatch(path.name) and path.name not in names:
            path.unlink(missing_ok=True)


def _load_index(index: Path, device: Any, mapped: bool) -> dict[str, Tensor]:
    table = _read_index(index)
    files = list(dict.fromkeys(table.values()))
    missing = [file for file in files if not (index.parent / file).is_file()]
    if missing:
        raise CheckpointError(f"{index}: {len(missing)} of {len(files)} files are missing: {', '.join(missing[:8])}")
    loaded = {file: _load_shard(index.parent / file, device, mapped) for file in files}
    absent = [name for name, file in table.items() if name not in loaded[file]]
    if absent:
        listed = ", ".join(f"{name!r} in {table[name]}" for name in absent[:8])
        raise CheckpointError(f"{index}: {len(absent)} tensors are not in the files it names: {listed}")
    return {name: loaded[file][name] for name, file in table.items()}


def _load_shard(path: Path, device: Any, mapped: bool) -> dict[str, Tensor]:
    if path.suffix == ".safetensors":
        return load_file(path, device, mapped)
    from tensorcore.serialization.loading import load

    found = load(path, map_location=str(Device(device)), weights_only=True, mmap=mapped)
    if not isinstance(found, dict):
        raise CheckpointError(f"{path}: a shard holds tensors by name, got {type(found).__name__}")
    return found


def _read_index(index: Path) -> dict[str, str]:
    import json

    try:
        content = json.loads(index.read_bytes())
        table = content["weight_map"]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise CheckpointError(f"{index}: no index of shards: {type(error).__name__}: {error}") from None
    if type(table) is not dict or any(type(file) is not str for file in table.values()):
        raise CheckpointError(f"{index}: weight_map must map names of tensors to names of files")
    outside = next((file for file in table.values() if not _is_plain_name(file)), None)
    if outside is not None:
        raise CheckpointError(f"{index}: {outside!r:.120} is no name of a file beside the index")
    return table


def _is_plain_name(file: str) -> bool:
    return file not in ("", ".", "..") and not set(file) & {"/", "\\", "\0", ":", os.sep}
