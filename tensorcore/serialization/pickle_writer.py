"""A writer of pickles, protocol 2, that can name classes of PyTorch without PyTorch.

``pickle.Pickler`` imports whatever it names, so it cannot write ``torch._utils._rebuild_tensor_v2``. Everything but
tensors, dtypes, devices and shapes is written as ``pickle`` writes it, so that Python and PyTorch read it.
"""

from __future__ import annotations

import copyreg
import struct
import sys
from collections import OrderedDict
from types import BuiltinFunctionType, FunctionType
from typing import Any, Final

from tensorcore.devices import Device
from tensorcore.dtypes import DType
from tensorcore.memory_format import layout, sparse_coo
from tensorcore.random import Generator
from tensorcore.serialization.allowed_globals import STORAGE_NAMES
from tensorcore.serialization.locations import saved_location
from tensorcore.serialization.storages import Slot, StoragePlan
from tensorcore.shapes import Size
from tensorcore.storage import TypedStorage, UntypedStorage
from tensorcore.tensor import Tensor

__all__ = ["PickleWriter"]

#: Attributes of a tensor that are its own bookkeeping, not a user's.
_OWN_ATTRIBUTES: Final = frozenset({"grad"})


class PickleWriter:
    """Writes one object; tensors in it are registered with ``plan`` and their places filled in at the end."""

    def __init__(self, plan: StoragePlan) -> None:
        self.plan = plan
        self.out: list[bytes | Slot] = []
        #: id -> place in the reader's memo; the objects are kept alive so that no id is reused.
        self.memo: dict[int, int] = {}
        self.alive: list[Any] = []
        self.names: dict[Any, int] = {}

    def dump(self, obj: Any) -> bytes:
        """The pickle of ``obj``.

        Raises:
            TypeError: for an object that cannot be pickled, naming its type.
            RecursionError: for nesting beyond the interpreter's limit.
        """
        self.out.append(b"\x80\x02")
        self.save(obj)
        self.out.append(b".")
        self.plan.settle()
        return b"".join(piece if isinstance(piece, bytes) else self.place_of(piece) for piece in self.out)

    def save(self, obj: Any) -> None:
        """Write one object, or a reference to it where it is written already."""
        kind = type(obj)
        if obj is None or kind is bool:
            self.out.append({None: b"N", True: b"\x88", False: b"\x89"}[obj])
        elif kind is int:
            self.out.append(integer(obj))
        elif kind is float:
            self.out.append(b"G" + struct.pack(">d", obj))
        elif kind is str:
            self.save_text(obj)
        elif id(obj) in self.memo:
            self.out.append(recall(self.memo[id(obj)]))
        elif kind is tuple:
            self.save_tuple(obj)
        elif kind is list:
            self.out.append(b"]")
            self.remember(obj)
            self.append_all(obj)
        elif kind is dict:
            self.out.append(b"}")
            self.remember(obj)
            self.set_all(obj.items())
        elif isinstance(obj, Tensor):
            self.save_tensor(obj)
        else:
            self.save_other(obj, kind)

    def save_other(self, obj: Any, kind: type) -> None:
        """Write what is no plain Python data."""
        if kind is DType:
            self.name("torch", obj.name)
        elif kind is Device:
            self.build(obj, ("torch", "device"), (obj.type,) if obj.index is None else (obj.type, obj.index))
        elif kind is Size:
            self.build(obj, ("torch", "Size"), (tuple(obj),))
        elif kind is bytes:
            # Protocol 2 has no bytes; this is how Python itself writes them there.
            self.build(obj, ("_codecs", "encode"), (obj.decode("latin1"), "latin1"))
        elif kind is bytearray:
            self.build(obj, ("__builtin__", "bytearray"), (bytes(obj),))
        elif kind is complex:
            self.build(obj, ("__builtin__", "complex"), (obj.real, obj.imag))
        elif kind in (set, frozenset):
            self.build(obj, ("__builtin__", kind.__name__), (list(obj),))
        elif kind is OrderedDict:
            self.save_ordered_dict(obj)
        elif kind is layout:
            self.build(obj, ("torch.serialization", "_get_layout"), (f"torch.{obj.name}",))
        elif kind.__module__ == "tensorcore.return_types":
            # The second argument holds the fields without names that some of PyTorch's have.
            self.build(obj, ("torch.return_types", kind.__name__), (tuple(obj), {}))
        elif kind is Generator:
            # As PyTorch does: a new one, which is given the seed, the offset (which CPUs have not) and the state.
            self.build(obj, ("torch._C", "Generator"), (Device("cpu"),))
            self.save((obj.initial_seed(), None, obj.get_state()))
            self.out.append(b"b")
        elif isinstance(obj, TypedStorage | UntypedStorage):
            self.save_storage(obj)
        elif isinstance(obj, type | FunctionType | BuiltinFunctionType):
            self.save_named(obj)
        else:
            self.save_reduced(obj, kind)

    # ---------------------------------------------------------------- tensors

    def save_tensor(self, tensor: Tensor) -> None:
        """Write a tensor as a call of PyTorch's function that rebuilds it."""
        if tensor._kind.sparse:
            self.save_sparse(tensor)
            return
        if type(tensor) is not Tensor and _is_lazy(tensor):
            self.build(tensor, ("torch.nn.parameter", type(tensor).__name__), (tensor.requires_grad,))
            return
        # As deepcopy does: names with an underscore belong to the library.
        state = {
            name: value
            for name, value in tensor.__dict__.items()
            if not name.startswith("_") and name not in _OWN_ATTRIBUTES
        }
        if _is_parameter(tensor):
            function = "_rebuild_parameter_with_state" if state else "_rebuild_parameter"
            self.name("torch._utils", function)
            self.out.append(b"(")
            self.save_elements(tensor, False)
            self.out.append(b"\x88" if tensor.requires_grad else b"\x89")
            self.empty_hooks()
            if state:
                self.save(state)
            self.out.append(b"tR")
        elif type(tensor) is Tensor and not state:
            self.save_elements(tensor, tensor.requires_grad)
        else:
            # A class of the user's, or attributes: what makes the elements, the class, its arguments, the state.
            self.name("torch._tensor", "_rebuild_from_type_v2")
            self.out.append(b"(")
            self.name("torch._utils", _rebuilder(tensor))
            if type(tensor) is Tensor:
                self.name("torch", "Tensor")
            else:
                self.save_named(type(tensor))
            self.rebuild_arguments(tensor, tensor.requires_grad)
            self.save(state)
            self.out.append(b"tR")
        self.remember(tensor)

    def save_sparse(self, tensor: Any) -> None:
        """Write a sparse tensor as its layout, indices, values and size."""
        array = tensor._array
        self.name("torch._utils", "_rebuild_sparse_tensor")
        facts = (Size(array.shape), array.coalesced) if array.layout is sparse_coo else (Size(array.shape),)
        self.save((array.layout, (*array.parts(), *facts)))
        self.out.append(b"R")
        self.remember(tensor)

    def save_storage(self, storage: Any) -> None:
        """Write a storage that a program holds by itself."""
        slot = self.plan.add(storage._row, alone=True)
        self.out.append(b"(")
        self.save("storage")
        self.storage_class(storage._row.dtype if isinstance(storage, TypedStorage) else None)
        self.out.append(slot)
        self.remember(storage)

    def storage_class(self, dtype: DType | None) -> None:
        """Write the class of a storage."""
        name = STORAGE_NAMES.get(dtype) if dtype is not None else None
        self.name(*(("torch", name) if name else ("torch.storage", "UntypedStorage")))

    def save_elements(self, tensor: Tensor, requires_grad: bool) -> None:
        """Write the call that rebuilds a plain tensor."""
        self.name("torch._utils", _rebuilder(tensor))
        self.rebuild_arguments(tensor, requires_grad)
        self.out.append(b"R")

    def rebuild_arguments(self, tensor: Tensor, requires_grad: bool) -> None:
        """(storage, offset, shape, strides, requires_grad, hooks), and the dtype where the storage has none."""
        dtype = tensor.dtype
        slot = self.plan.add(tensor)
        self.out.append(b"((")
        self.save("storage")
        self.storage_class(dtype)
        # Key, location, length, offset, shape and strides are known when all tensors are.
        self.out.append(slot)
        self.out.append(b"\x88" if requires_grad else b"\x89")
        self.empty_hooks()
        if dtype not in STORAGE_NAMES:
            self.name("torch", dtype.name)
        self.out.append(b"t")

    def place_of(self, slot: Slot) -> bytes:
        """The part of a tensor's arguments that depends on the layout of the storages."""
        storage = slot.storage
        # PyTorch knows no other devices; theirs are in an entry of their own, see torch_zip.
        location = saved_location(storage)
        width = 1 if storage.dtype in STORAGE_NAMES else storage.dtype.itemsize
        named = (text(storage.key), text(location), integer(storage.count * width), b"tQ")
        if slot.alone:
            return b"".join(named)
        shape, strides = map(integer, slot.tensor.shape), map(integer, slot.strides)
        return b"".join((*named, integer(slot.start), b"(", *shape, b"t(", *strides, b"t"))

    def empty_hooks(self) -> None:
        """Write the empty dict that PyTorch expects where hooks once were."""
        self.name("collections", "OrderedDict")
        self.out.append(b")R")

    # ---------------------------------------------------------------- containers

    def save_text(self, value: str) -> None:
        """Write a string."""
        # By value: attribute names and storage tags recur in every tensor.
        known = self.names.get(value)
        if known is not None:
            self.out.append(recall(known))
            return
        self.out.append(text(value))
        self.names[value] = self.put()

    def save_tuple(self, obj: tuple[Any, ...]) -> None:
        """Write a tuple."""
        if not obj:
            self.out.append(b")")
            return
        self.out.append(b"(")
        for item in obj:
            self.save(item)
        if id(obj) in self.memo:
            # It contains itself, through a list: what was made on the way is the one.
            self.out.append(b"1" + recall(self.memo[id(obj)]))
            return
        self.out.append(b"t")
        self.remember(obj)

    def save_ordered_dict(self, obj: OrderedDict[Any, Any]) -> None:
        """Write an OrderedDict with its attributes."""
        self.name("collections", "OrderedDict")
        self.out.append(b")R")
        self.remember(obj)
        self.set_all(obj.items())
        if obj.__dict__:
            # state_dict keeps its versions in an attribute.
            self.save(dict(obj.__dict__))
            self.out.append(b"b")

    def append_all(self, items: Any) -> None:
        """Write items for the list made last."""
        self.out.append(b"(")
        for item in items:
            self.save(item)
        self.out.append(b"e")

    def set_all(self, items: Any) -> None:
        """Write keys and values for the dict made last."""
        self.out.append(b"(")
        for key, value in items:
            self.save(key)
            self.save(value)
        self.out.append(b"u")

    # ---------------------------------------------------------------- classes and their instances

    def save_named(self, obj: Any) -> None:
        """Write a class or function by its name; raises TypeError where it has none."""
        module, name = getattr(obj, "__module__", None), getattr(obj, "__qualname__", None)
        found: Any = sys.modules.get(module or "")
        for part in (name or "").split("."):
            found = getattr(found, part, None)
        if found is not obj or module is None or name is None:
            public = _public_place(obj, name)
            if public is None:
                raise TypeError(
                    f"save: {obj!r} cannot be found by its name {module}.{name}, so no file can refer to it"
                )
            # As PyTorch calls it, so that either reads it.
            module, name = public.replace("tensorcore", "torch", 1), str(name)
        self.name("__builtin__" if module == "builtins" else module, name)

    def save_reduced(self, obj: Any, kind: type) -> None:
        """An instance of any other class, by Python's protocol for pickling."""
        reduce = copyreg.dispatch_table.get(kind)
        try:
            reduced = obj.__reduce_ex__(2) if reduce is None else reduce(obj)
        except TypeError as error:
            raise TypeError(f"save: a {kind.__module__}.{kind.__qualname__} cannot be saved: {error}") from error
        if isinstance(reduced, str):
            self.save_named(obj)
            return
        function, args, state, items, pairs, *rest = (*reduced, None, None, None)[: max(5, len(reduced))]
        if any(part is not None for part in rest) or getattr(function, "__name__", "") == "__newobj_ex__":
            raise TypeError(f"save: a {kind.__qualname__} reduces in a way that pickles of protocol 2 cannot hold")
        if getattr(function, "__name__", "") == "__newobj__":
            self.save(args[0])
            self.save(tuple(args[1:]))
            self.out.append(b"\x81")
        else:
            self.save(function)
            self.save(tuple(args))
            self.out.append(b"R")
        if id(obj) in self.memo:
            self.out.append(b"0" + recall(self.memo[id(obj)]))
            return
        self.remember(obj)
        if items is not None:
            self.append_all(items)
        if pairs is not None:
            self.set_all(pairs)
        if state is not None:
            self.save(state)
            self.out.append(b"b")

    def build(self, obj: Any, name: tuple[str, str], args: tuple[Any, ...]) -> None:
        """Write ``obj`` as a call of ``name``."""
        self.name(*name)
        self.save(args)
        self.out.append(b"R")
        self.remember(obj)

    def name(self, module: str, name: str) -> None:
        """Write the class or function ``module.name``."""
        known = self.names.get((module, name))
        if known is not None:
            self.out.append(recall(known))
            return
        self.out.append(f"c{module}\n{name}\n".encode())
        self.names[module, name] = self.put()

    def remember(self, obj: Any) -> None:
        """Have later occurrences of ``obj`` refer to what was made last."""
        self.memo[id(obj)] = self.put()
        self.alive.append(obj)

    def put(self) -> int:
        """Have the reader keep what it made last; returns its place."""
        place = len(self.memo) + len(self.names)
        self.out.append(b"q" + bytes((place,)) if place < 256 else b"r" + struct.pack("<I", place))
        return place


def _public_place(obj: Any, name: Any) -> str | None:
    """The module in which users find a function, where it is made elsewhere."""
    for place in (
        "tensorcore.nn.functional",
        "tensorcore",
        "tensorcore.linalg",
        "tensorcore.special",
        "tensorcore.fft",
    ):
        if name and getattr(sys.modules.get(place), name, None) is obj:
            return place
    return None


def _is_parameter(tensor: Tensor) -> bool:
    if type(tensor) is Tensor:
        return False
    from tensorcore.nn.parameter import Parameter

    return type(tensor) is Parameter


def _is_lazy(tensor: Tensor) -> bool:
    from tensorcore.nn.parameter import is_lazy

    return is_lazy(tensor)


def _rebuilder(tensor: Tensor) -> str:
    return "_rebuild_tensor_v2" if tensor.dtype in STORAGE_NAMES else "_rebuild_tensor_v3"


def recall(place: int) -> bytes:
    """Instruction to push what was kept at ``place``."""
    return b"h" + bytes((place,)) if place < 256 else b"j" + struct.pack("<I", place)


def text(value: str) -> bytes:
    """Instruction to push a string."""
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def integer(value: int) -> bytes:
    """Instruction to push an int."""
    if 0 <= value < 256:
        return b"K" + bytes((value,))
    if 0 <= value < 65536:
        return b"M" + struct.pack("<H", value)
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes((len(data),)) + data if len(data) < 256 else b"\x8b" + struct.pack("<i", len(data)) + data
