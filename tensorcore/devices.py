"""Devices, and kinds: the pair of a device and a dtype that owns a table of kernels."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

from tensorcore.dtypes import PYTHON_TYPES, DType
from tensorcore.errors import DeviceError, DTypeError
from tensorcore.fallback import missing_kernel

if TYPE_CHECKING:
    from tensorcore.backend.contract import Backend, Capabilities
    from tensorcore.ops.record import Op
    from tensorcore.tensor import Tensor

__all__ = ["Device", "get_default_device", "set_default_device"]


class Device:
    """A place where tensors live: the name of a backend, and an index where it has several.

    Also a context manager that makes it the default device of the thread.

    Raises:
        DeviceError: for a name that no installed backend has; the message lists those it could be.

    Example:
        >>> import tensorcore as tc
        >>> tc.device("cpu")
        device(type='cpu')
        >>> with tc.device("reference"):
        ...     tc.zeros(1).device
        device(type='reference')
    """

    type: str
    index: int | None

    def __new__(cls, type: Any = None, index: int | None = None) -> Device:
        if isinstance(type, Device) and index is None:
            return type
        name, index = _parse(type, index)
        found = _DEVICES.get((name, index))
        if found is None:
            found = object.__new__(cls)
            found.type, found.index = name, index
            found._kinds = {}
            found = _DEVICES.setdefault((name, index), found)
        return found

    _kinds: dict[DType, Kind]
    #: Whether the backend has a current device; ``None`` until it was asked.
    _follows: bool | None = None

    @property
    def ordinal(self) -> int:
        """The index as the backend counts: where none is written, that of the current device, or 0."""
        if self.index is None and self._follows:
            return self.backend.current_index() or 0
        return self.index or 0

    @property
    def backend(self) -> Backend:
        """The backend behind the device, loaded on first use."""
        from tensorcore.plugins.host import host

        return host.backend(self.type)

    @property
    def capabilities(self) -> Capabilities:
        """What the device can do."""
        return self.backend.capabilities(self.ordinal)

    def kind(self, dtype: DType) -> Kind:
        """The kind of arrays of ``dtype`` here, or on the current device where none of several is named."""
        if self.index is None and self._follows is not False:
            current = self.backend.current_index()
            self._follows = current is not None
            if current is not None:
                return Device(self.type, current).kind(dtype)
        try:
            return self._kinds[dtype]
        except KeyError:
            # Python's own types are accepted as dtypes, as in PyTorch.
            known = self.kind(PYTHON_TYPES[dtype]) if dtype in PYTHON_TYPES else Kind(self, dtype)
            return self._kinds.setdefault(dtype, known)

    def __enter__(self) -> Device:
        _default.stack = (*_default.stack, self)
        return self

    def __exit__(self, *exc: object) -> None:
        _default.stack = _default.stack[:-1]

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Device):
            return self is other or (self.type == other.type and self.ordinal == other.ordinal)
        return NotImplemented

    def __hash__(self) -> int:
        return hash((self.type, self.ordinal))

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (Device, (str(self),))


_DEVICES: Final[dict[tuple[str, int | None], Device]] = {}


def forget_kinds(names: Collection[str]) -> None:
    """Make the devices of these backends look their kernels up anew; tensors that exist keep theirs."""
    for (name, _), device in list(_DEVICES.items()):
        if name in names:
            device._kinds.clear()


def _parse(device: Any, index: int | None) -> tuple[str, int | None]:
    if device is None:
        chosen = get_default_device()
        return chosen.type, chosen.index
    if not isinstance(device, str):
        raise TypeError(f"device: expected a name such as 'cpu' or 'cuda:1', got {device!r}")
    match = re.fullmatch(r"([A-Za-z_]\w*)(?::(\d+))?", device)
    if match is None:
        raise DeviceError(f"device {device!r}: expected NAME or NAME:INDEX, such as 'cpu' or 'cuda:1'")
    if match[2] is not None:
        if index is not None:
            raise DeviceError(f"device: the index is given twice, in {device!r} and as {index}")
        index = int(match[2])
    from tensorcore.plugins.host import host

    host.require_known(match[1])
    return match[1], index


class Kind:
    """The arrays of one dtype on one device: one backend, one table of kernels, and how results are wrapped."""

    __slots__ = (
        "array_type", "as_array", "assign", "backend", "device", "dtype", "mutable", "ordinal", "scalars", "table",
        "views", "writers",
    )  # fmt: skip

    #: Whether the arrays are those of `tensorcore.sparse`.
    sparse = False
    #: The layout of sparse kinds; dense ones have none.
    layout: Any

    #: The backend of the transform whose arrays these are (`tensorcore.func.levels`), or ``None``.
    level: Any = None

    def __init__(self, device: Device, dtype: DType) -> None:
        if not isinstance(dtype, DType):
            raise TypeError(f"dtype: expected one such as tensorcore.float32, got {dtype!r}")
        backend = device.backend
        count = backend.device_count()
        # A kind of a device without an index is of one whose backend has no current device.
        self.ordinal = device.ordinal
        if self.ordinal >= count:
            raise DeviceError(f"device {str(device)!r} does not exist: {device.type!r} has {count} device(s)")
        able = backend.capabilities(device.ordinal)
        if dtype not in able.dtypes:
            known = ", ".join(sorted(each.name for each in able.dtypes))
            raise DTypeError(f"device {str(device)!r} has no arrays of dtype {dtype}; it has {known}")
        self.device = device
        self.dtype = dtype
        self.backend = backend
        self.array_type = backend.array_type
        self.as_array = backend.as_array
        self.assign = backend.assign
        self.mutable = able.mutable
        self.views = able.views
        self.table = Table(self)
        self.scalars: dict[Any, Tensor] = {}
        self.writers: dict[Op, Any] = {}

    def sibling(self, dtype: DType) -> Kind:
        """The kind of another dtype on the same device."""
        return self.device.kind(dtype)

    def writer(self, op: Op) -> Any:
        """The kernel of ``op`` that takes ``out=``, or ``None``."""
        try:
            return self.writers[op]
        except KeyError:
            kernel = None
            if self.mutable and op.rule(self.dtype, op.name) == (self.dtype, self.dtype):
                kernel = self.backend.inplace_kernel(op.name, self.dtype, self.device.ordinal)
            if kernel is not None and wrap_kernel is not None:
                kernel = wrap_kernel(op, self, kernel)
            return self.writers.setdefault(op, kernel)

    def scalar(self, value: complex) -> Tensor:
        """A 0-d tensor of this kind holding a Python number, shared between uses."""
        # 0.0 and -0.0 are equal as keys, NaN is unequal to itself: neither may go by value alone.
        key = (type(value), value) if value else (type(value), str(value))
        found = self.scalars.get(key)
        if found is None:
            from tensorcore.tensor import from_values

            found = from_values([value], (), self)
            if len(self.scalars) < 1024 and value == value:
                self.scalars[key] = found
        return found

    def __repr__(self) -> str:
        return f"<kind {self.dtype.name} on {self.device}>"


#: The entry of a composite that the backend has no kernel for.
EXPRESSION: Final = (None, None)

#: ``wrap_kernel(op, kind, kernel)`` while someone looks at kernels (`tensorcore.observation`).
wrap_kernel: Any = None


class Table(dict["Op", "tuple[Any, Kind | None] | None"]):
    """Kernels of one kind by op, looked up in the backend once each.

    ``table[op]`` is ``(kernel, kind of the result)``; the kind is ``None`` where the attribute ``dtype`` decides.
    It is `EXPRESSION` for a composite without a kernel, and ``None`` where operands must be converted first.
    """

    __slots__ = ("kind",)

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind = kind

    def __missing__(self, op: Op) -> tuple[Any, Kind | None] | None:
        kind = self.kind
        compute, result = op.rule(kind.dtype, op.name)
        entry: Any = None
        if compute is kind.dtype and (op.primitive or op.body is not None):
            kernel = kind.backend.kernel(op.name, kind.dtype, kind.device.ordinal)
            if kernel is None and not op.primitive:
                entry = EXPRESSION
            else:
                kernel = kernel or missing_kernel(op, kind)
                if wrap_kernel is not None and kind.level is None:
                    kernel = wrap_kernel(op, kind, kernel)
                entry = (kernel, None if result is None else kind.sibling(result))
        # The default dtype can change, so what integers convert to is not frozen.
        if compute is kind.dtype:
            self[op] = entry
        return entry


class _Default(threading.local):
    stack: tuple[Device, ...] = ()


_default = _Default()
_process_default: Device | None = None


def get_default_device() -> Device:
    """The device of tensors made without ``device=``.

    The innermost ``with tc.device(...)``, else what `set_default_device` set, else the environment variable
    ``TENSORCORE_DEVICE``, else the available backend of highest priority.

    Example:
        >>> import tensorcore as tc
        >>> tc.get_default_device()
        device(type='cpu')
    """
    global _process_default
    if _default.stack:
        return _default.stack[-1]
    if _process_default is None:
        from tensorcore.plugins.host import host

        named = os.environ.get("TENSORCORE_DEVICE")
        _process_default = Device(named or host.default_backend())
    return _process_default


def set_default_device(device: Any) -> None:
    """Make ``device`` the default of the process; ``None`` returns to the automatic choice.

    Raises:
        DeviceError: for an unknown device.

    Example:
        >>> import tensorcore as tc
        >>> tc.set_default_device("cpu")
    """
    global _process_default
    _process_default = None if device is None else Device(device)
