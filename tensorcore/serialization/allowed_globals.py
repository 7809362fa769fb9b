"""The names that a checkpoint may hold, and what each builds.

What PyTorch's ``weights_only`` reader allows and this library has: containers, dtypes, devices, shapes, and tensors
rebuilt from storages. Classes of a user's own are added by `add_safe_globals`.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from tensorcore import dtypes
from tensorcore.devices import Device
from tensorcore.dtypes import DType
from tensorcore.random import Generator
from tensorcore.serialization.pickle_reader import Global, check_key
from tensorcore.shapes import Size
from tensorcore.tensor import Tensor

if TYPE_CHECKING:
    from tensorcore.serialization.storages import Storage

__all__ = ["STORAGE_NAMES", "StorageType", "add_safe_globals", "clear_safe_globals", "get_safe_globals", "safe_globals"]

#: PyTorch's storage classes by dtype; the dtypes that came after them are stored as bytes, "UntypedStorage".
STORAGE_NAMES: Final[dict[DType, str]] = {
    dtypes.float64: "DoubleStorage", dtypes.float32: "FloatStorage", dtypes.float16: "HalfStorage",
    dtypes.bfloat16: "BFloat16Storage", dtypes.int64: "LongStorage", dtypes.int32: "IntStorage",
    dtypes.int16: "ShortStorage", dtypes.int8: "CharStorage", dtypes.uint8: "ByteStorage", dtypes.bool_: "BoolStorage",
    dtypes.complex128: "ComplexDoubleStorage", dtypes.complex64: "ComplexFloatStorage",
}  # fmt: skip

_safe: list[Any] = []


class StorageType:
    """The class of a storage in a pickle; ``dtype`` is ``None`` for untyped bytes."""

    def __init__(self, dtype: DType | None) -> None:
        self.dtype = dtype


def add_safe_globals(safe_globals: Iterable[Any]) -> None:
    """Let `load` make and call these classes and functions, or pairs of one and the name it has in files.

    Their code runs when a file asks for it: add only what is safe with any arguments.

    Example:
        >>> import fractions
        >>> import tensorcore as tc
        >>> tc.serialization.add_safe_globals([fractions.Fraction])
        >>> tc.serialization.get_safe_globals()
        [<class 'fractions.Fraction'>]
        >>> tc.serialization.clear_safe_globals()
    """
    for each in safe_globals:
        _named(each)
        if each not in _safe:
            _safe.append(each)


def get_safe_globals() -> list[Any]:
    """What `add_safe_globals` has added.

    Example:
        >>> import tensorcore as tc
        >>> tc.serialization.get_safe_globals()
        []
    """
    return list(_safe)


def clear_safe_globals() -> None:
    """Forget what `add_safe_globals` has added.

    Example:
        >>> import tensorcore as tc
        >>> tc.serialization.clear_safe_globals()
    """
    _safe.clear()


@contextmanager
def safe_globals(safe_globals: Iterable[Any]) -> Iterator[None]:
    """`add_safe_globals` for the length of a block.

    Example:
        >>> import fractions
        >>> import tensorcore as tc
        >>> with tc.serialization.safe_globals([fractions.Fraction]):
        ...     len(tc.serialization.get_safe_globals())
        1
    """
    before = list(_safe)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _safe[:] = before


def _named(entry: Any) -> tuple[str, Any]:
    if isinstance(entry, tuple):
        if len(entry) != 2 or not isinstance(entry[1], str):
            raise TypeError(f"add_safe_globals: a pair is (class or function, name in files), got {entry!r}")
        return entry[1], entry[0]
    if not callable(entry) or not hasattr(entry, "__qualname__"):
        raise TypeError(f"add_safe_globals: expected classes and functions, got {entry!r}")
    return f"{entry.__module__}.{entry.__qualname__}", entry


class AllowedGlobals:
    """The table of one reading: names to what they build.

    Names that it does not have are never imported.
    """

    def __init__(self, rebuild: dict[str, Callable[..., Any]]) -> None:
        self.table = _torch_names() | {name: Global(name, call) for name, call in rebuild.items()} | _containers()
        #: Classes whose own code may run: their ``__setstate__`` checks what it is given.
        self.trusted: set[type] = {Generator}
        self._own = dict(self.table)
        for entry in _safe:
            name, value = _named(entry)
            self.table[name] = Global(name, value, value)
            if name.startswith("tensorcore."):
                # PyTorch's files name the same classes under its own paths.
                theirs = name.replace("tensorcore", "torch", 1)
                self.table.setdefault(theirs, Global(theirs, value, value))
            if isinstance(value, type):
                self.trusted.add(value)

    def own_names(self) -> dict[str, Global]:
        """What PyTorch's names of its own stand for where all else is imported."""
        from tensorcore.nn.parameter import Parameter

        classes = {"torch.Tensor": Tensor, "torch.nn.parameter.Parameter": Parameter, "torch.Size": Size}
        own = {name: found for name, found in self._own.items() if name.startswith("torch.")}
        return own | {name: Global(name, value=value) for name, value in classes.items()}

    def trusts(self, kind: type) -> bool:
        """Whether a user has vouched for the class."""
        return kind in self.trusted

    def find(self, module: str, name: str) -> Global:
        """What ``module.name`` stands for; raises CheckpointError for names that are not allowed."""
        # The names of Python 2, which protocol 2 keeps using.
        module = {"__builtin__": "builtins", "copy_reg": "copyreg"}.get(module, module)
        full = f"{module}.{name}"
        found = self.table.get(full)
        if found is not None:
            return found
        from tensorcore.serialization.refusal import ForbiddenGlobalError

        raise ForbiddenGlobalError(
            f"the pickle names {full[:200]!r}, which is not among the classes and functions that a checkpoint may "
            f"hold; nothing was executed. If you trust it, allow it with tensorcore.serialization.add_safe_globals"
            f"([{name[:80]}]); if you trust the whole file, load it with weights_only=False, which runs its code"
        )


def _containers() -> dict[str, Global]:
    """Python's own classes, each made by a function that checks what it is given."""
    calls: dict[str, Callable[..., Any]] = {
        "collections.OrderedDict": _ordered_dict,
        "collections.Counter": _counter,
        "builtins.set": _set_of,
        "builtins.frozenset": lambda items=(): frozenset(_set_of(items)),
        "builtins.complex": _complex,
        "builtins.bytearray": lambda data=b"": bytearray(_bytes("bytearray", data)),
        "builtins.bytes": lambda data=b"": bytes(_bytes("bytes", data)),
        "_codecs.encode": _encode,
    }
    return {name: Global(name, call) for name, call in calls.items()}


@cache
def _torch_names() -> dict[str, Global]:
    """PyTorch's classes and values, apart from what rebuilds tensors."""
    table = {
        "torch.Size": Global("torch.Size", _size),
        "torch.device": Global("torch.device", _device),
        "torch.Tensor": Global("torch.Tensor"),
        "torch.nn.parameter.Parameter": Global("torch.nn.parameter.Parameter"),
        "torch.storage.UntypedStorage": Global("torch.storage.UntypedStorage", value=StorageType(None)),
        "torch.UntypedStorage": Global("torch.UntypedStorage", value=StorageType(None)),
    }
    for dtype in dtypes.ALL:
        table[f"torch.{dtype.name}"] = Global(f"torch.{dtype.name}", value=dtype)
    for dtype, name in STORAGE_NAMES.items():
        for place in ("torch", "torch.cuda"):
            table[f"{place}.{name}"] = Global(f"{place}.{name}", value=StorageType(dtype))
    return table


def _ordered_dict(pairs: Any = ()) -> OrderedDict[Any, Any]:
    made: OrderedDict[Any, Any] = OrderedDict()
    for key, value in pairs:
        check_key(key)
        made[key] = value
    return made


def _counter(counts: Any = None) -> Counter[Any]:
    if counts is not None and type(counts) is not dict:
        raise TypeError("Counter takes a dict")
    return Counter(counts)


def _set_of(items: Any = ()) -> set[Any]:
    if type(items) not in (list, tuple):
        raise TypeError("set takes a list")
    for item in items:
        check_key(item)
    return set(items)


def _complex(real: float, imag: float = 0.0) -> complex:
    if type(real) not in (int, float) or type(imag) not in (int, float):
        raise TypeError("complex takes two numbers")
    return complex(real, imag)


def _bytes(what: str, data: Any) -> Any:
    # An int would allocate that many bytes.
    if type(data) not in (bytes, bytearray):
        raise TypeError(f"{what} takes bytes")
    return data


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        raise TypeError("encode takes a string and 'latin1', as the pickler writes bytes")
    return text.encode("latin1")


def _size(sides: Any = ()) -> Size:
    if type(sides) not in (tuple, list) or any(type(side) is not int for side in sides):
        raise TypeError("Size takes a tuple of ints")
    return Size(sides)


def _device(kind: Any, index: Any = None) -> Device:
    if type(kind) is not str or not (index is None or type(index) is int):
        raise TypeError("device takes a name and an index")
    return Device(kind, index)


def storage_dtype(name: str) -> DType | None:
    """The dtype of a storage class of PyTorch's; ``None`` for bytes and for what is no storage class."""
    found = _torch_names().get(name)
    return found.value.dtype if found is not None and type(found.value) is StorageType else None


def is_tensor_class(value: Any) -> bool:
    """Whether a name in a pickle stands for a class of tensors."""
    if isinstance(value, Global):
        return value.name in ("torch.Tensor", "torch.nn.parameter.Parameter")
    return isinstance(value, type) and issubclass(value, Tensor)


def storage_of(value: Any) -> Storage:
    """``value``, checked to be a storage."""
    from tensorcore.serialization.storages import Storage

    if type(value) is not Storage:
        raise TypeError(f"a tensor is rebuilt from a storage, got {type(value).__name__}")
    return value
