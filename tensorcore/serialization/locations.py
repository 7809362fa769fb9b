"""Where the storages of a file go: what ``map_location`` says, and packages that know devices of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tensorcore.devices import Device
from tensorcore.errors import BackendUnavailableError, CheckpointError, DeviceError

__all__ = [
    "default_restore_location", "location_tag", "place", "register_package", "saved_location", "validate_cuda_device",
]  # fmt: skip

#: What register_package adds: (priority, tagger, deserializer).
_packages: list[tuple[int, Callable[[Any], str | None], Callable[[Any, str], Any]]] = []
#: The devices of this library come between packages of lower and of higher numbers.
_OWN_PRIORITY: Final = 10


def register_package(
    priority: int, tagger: Callable[[Any], str | None], deserializer: Callable[[Any, str], Any]
) -> None:
    """Have `save` and `load` ask two functions of yours about devices.

    Args:
        priority: packages are asked from the lowest number to the highest; this library's own devices have 10.
        tagger: gets a storage that is saved (its ``device`` says where it is); returns the text that the file
            keeps for its device, or ``None`` for devices that are not its business.
        deserializer: gets a storage that is loaded and the text; returns the storage, moved (`to`), or ``None``.

    Example:
        >>> import tensorcore as tc
        >>> def restore(storage, location):
        ...     return storage.cpu() if location == "abacus" else None
        >>> tc.serialization.register_package(20, lambda storage: None, restore)
    """
    _packages.append((priority, tagger, deserializer))
    _packages.sort(key=lambda package: package[0])


def location_tag(storage: Any) -> str:
    """The text that a file keeps for the device of a storage or tensor.

    Example:
        >>> import tensorcore as tc
        >>> tc.serialization.location_tag(tc.ones(2).untyped_storage())
        'cpu'
    """
    return _tagged(storage) or str(storage.device)


def _tagged(storage: Any) -> str | None:
    for _, tagger, _ in _packages:
        found = tagger(storage)
        if found:
            return found
    return None


def saved_location(storage: Any) -> str:
    """What `save` writes: PyTorch knows CPUs and CUDA devices, others are kept in an entry of their own."""
    device = storage.device
    return _tagged(storage) or (f"cuda:{device.ordinal}" if device.type == "cuda" else "cpu")


def default_restore_location(storage: Any, location: str) -> Any:
    """The storage, moved to the device that the file's text ``location`` says.

    Raises:
        DeviceError: for a device that is not there.
        CheckpointError: for a location that no package knows.
    """
    unknown: DeviceError | None = None
    own: tuple[int, Any, Callable[[Any, str], Any]] = (_OWN_PRIORITY, None, _restore)
    for _, _, restore in sorted([*_packages, own], key=lambda package: package[0]):
        try:
            found = restore(storage, location)
        except DeviceError as error:
            if restore is not _restore:
                raise
            unknown = error
            continue
        if found is not None:
            return found
    if unknown is not None:
        raise unknown
    raise CheckpointError(f"load: no package restores the location {location!r}; use map_location or register_package")


def _restore(storage: Any, location: str) -> Any:
    return storage.to(device=location)


def validate_cuda_device(location: Any) -> int:
    """The index of the CUDA device that ``location`` names.

    Raises:
        DeviceError: if there is none.
    """
    try:
        return Device(location).ordinal
    except BackendUnavailableError as error:
        raise type(error)(
            f"load: a tensor was saved on {location!r}: {error}; map_location='cpu' puts it elsewhere"
        ) from None


def check_map_location(map_location: Any) -> None:
    """Raise TypeError for what can be no ``map_location``."""
    if not (map_location is None or isinstance(map_location, str | Device | dict) or callable(map_location)):
        raise TypeError(f"load: map_location must be a device, a dict or a callable, got {type(map_location).__name__}")


def place(storage: Any, location: str, map_location: Any) -> Any:
    """A storage where it was saved, or where ``map_location`` says."""
    if isinstance(map_location, str | Device):
        return default_restore_location(storage, str(map_location))
    if callable(map_location):
        moved = map_location(storage, location)
        if moved is not None:
            return moved
    elif isinstance(map_location, dict):
        wanted = {str(key): value for key, value in map_location.items()}.get(location, location)
        if str(wanted) != location:
            return default_restore_location(storage, str(wanted))
    try:
        return default_restore_location(storage, location)
    except DeviceError as error:
        hint = "map_location='cpu' puts it elsewhere"
        raise type(error)(f"load: a tensor was saved on {location!r}: {error}; {hint}") from None
