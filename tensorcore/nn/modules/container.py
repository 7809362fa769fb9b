"""Containers: modules and parameters in sequences and mappings."""

from __future__ import annotations

import operator
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Self

from tensorcore.nn.modules.module import Module, indented
from tensorcore.nn.parameter import Parameter
from tensorcore.tensor import Tensor

__all__ = ["Container", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class Container(Module):
    """A module of the children given by name; deprecated, as in PyTorch."""

    def __init__(self, **kwargs: Any) -> None:
        warnings.warn("`nn.Container` is deprecated. Subclass `nn.Module` instead.", FutureWarning, stacklevel=2)
        super().__init__()
        for name, module in kwargs.items():
            self.add_module(name, module)


class _Listed(Module):
    """What `Sequential` and `ModuleList` share: children named by their places."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __dir__(self) -> list[str]:
        return [key for key in super().__dir__() if not key.isdigit()]

    def _place(self, index: Any, end: int | None = None) -> int:
        """``index`` as a place from the start; ``end`` is the first place that is out of range."""
        end = len(self) if end is None else end
        place = operator.index(index)
        if not -len(self) <= place < end:
            raise IndexError(f"index {place} is out of range for a {self._get_name()} of {len(self)} modules")
        return place + len(self) if place < 0 else place

    def _refill(self, modules: list[Any]) -> None:
        self._modules.clear()
        self._modules.update((str(place), module) for place, module in enumerate(modules))

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._sliced(index)
        return self._modules[list(self._modules)[self._place(index)]]

    def _sliced(self, index: slice) -> Any:
        raise NotImplementedError

    def __setitem__(self, index: int, module: Module) -> None:
        name = list(self._modules)[self._place(index)]
        _require_module(module)
        setattr(self, name, module)

    def __delitem__(self, index: int | slice) -> None:
        names = list(self._modules)
        for name in names[index] if isinstance(index, slice) else [names[self._place(index)]]:
            del self._modules[name]
        self._refill(list(self._modules.values()))

    def pop(self, key: int | slice) -> Any:
        """Remove the module at place ``key`` and return it."""
        module = self[key]
        del self[key]
        return module

    def append(self, module: Module) -> Self:
        """Add ``module`` at the end."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Put ``module`` before the one at place ``index``."""
        _require_module(module)
        place = self._place(index, len(self) + 1)
        modules = list(self._modules.values())
        modules.insert(place, module)
        self._refill(modules)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add all of ``modules`` at the end."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"{self._get_name()}.extend: expected several modules, got {type(modules).__name__}")
        for module in list(modules):
            self.append(module)
        return self

    def __iadd__(self, other: Any) -> Self:
        return self.extend(other)


def _require_module(module: Any) -> None:
    if module is not None and not isinstance(module, Module):
        raise TypeError(f"expected a Module, got {type(module).__name__}")


class Sequential(_Listed):
    """Modules called one after the other, each with the output of the one before.

    Args:
        args: the modules, or one ``OrderedDict`` of names and modules.

    Raises:
        TypeError: for what is no module.

    Example:
        >>> import tensorcore as tc
        >>> net = tc.nn.Sequential(tc.nn.Linear(4, 3), tc.nn.ReLU())
        >>> net(tc.ones(2, 4)).shape
        tensorcore.Size([2, 3])
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for place, module in enumerate(args):
                self.add_module(str(place), module)

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)  # type: ignore[misc]
        return input

    def _sliced(self, index: slice) -> Any:
        return type(self)(OrderedDict(list(self._modules.items())[index]))

    def __add__(self, other: Any) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"Sequential: only another Sequential can be added, got {type(other).__name__}")
        return Sequential(*self, *other)

    def __iadd__(self, other: Any) -> Self:
        if not isinstance(other, Sequential):
            raise ValueError(f"Sequential: only another Sequential can be added, got {type(other).__name__}")
        return self.extend(other)

    def __mul__(self, times: int) -> Sequential:
        return Sequential(*chain.from_iterable([list(self)] * _times(times)))

    def __rmul__(self, times: int) -> Sequential:
        return self * times

    def __imul__(self, times: int) -> Self:
        own = list(self)
        for _ in range(_times(times) - 1):
            self.extend(own)
        return self


def _times(times: Any) -> int:
    if not isinstance(times, int):
        raise TypeError(f"Sequential: can only be repeated a whole number of times, got {type(times).__name__}")
    if times <= 0:
        raise ValueError(f"Sequential: can only be repeated a positive number of times, got {times}")
    return times


class ModuleList(_Listed):
    """A list of modules; it has no ``forward``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.ModuleList([tc.nn.Linear(2, 2) for _ in range(3)])
        ModuleList(
          (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
        )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _sliced(self, index: slice) -> Any:
        return type(self)(list(self._modules.values())[index])  # type: ignore[arg-type]

    def insert(self, index: int, module: Module) -> None:
        """Put ``module`` before the one at place ``index``, which counts as in `list.insert`."""
        _require_module(module)
        modules = list(self._modules.values())
        modules.insert(index, module)
        self._refill(modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList(chain(self, other))

    def __repr__(self) -> str:
        if not len(self):
            return f"{self._get_name()}()"
        lines: list[str] = []
        start = 0
        texts = [repr(module) for module in self]
        for place, text in enumerate(texts):
            if place + 1 < len(texts) and texts[place + 1] == text:
                continue
            count = place + 1 - start
            line = f"({place}): {text}" if count == 1 else f"({start}-{place}): {count} x {text}"
            lines.append(indented(line))
            start = place + 1
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


class ModuleDict(Module):
    """A dict of modules; it has no ``forward``.

    Example:
        >>> import tensorcore as tc
        >>> acts = tc.nn.ModuleDict({"relu": tc.nn.ReLU(), "tanh": tc.nn.Tanh()})
        >>> acts["relu"](tc.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: str) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Remove the module called ``key`` and return it."""
        return self._modules.pop(key)

    def keys(self) -> Any:
        """The names."""
        return self._modules.keys()

    def items(self) -> Any:
        """(name, module) pairs."""
        return self._modules.items()

    def values(self) -> Any:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Add the modules of a mapping or of (name, module) pairs, replacing those of equal names."""
        for name, module in _pairs("ModuleDict", modules):
            self[name] = module


def _pairs(what: str, given: Any) -> list[tuple[str, Any]]:
    if isinstance(given, (Mapping, ModuleDict, ParameterDict)):
        return list(given.items())
    if not isinstance(given, Iterable):
        raise TypeError(f"{what}.update: expected a mapping or pairs of names and values, got {type(given).__name__}")
    pairs = []
    for place, pair in enumerate(given):
        if not isinstance(pair, Iterable):
            raise TypeError(f"{what}.update: element {place} is {type(pair).__name__}, expected a pair")
        pair = tuple(pair)
        if len(pair) != 2:
            raise ValueError(f"{what}.update: element {place} has length {len(pair)}, expected a pair")
        pairs.append(pair)
    return pairs


def _parameter(value: Any) -> Any:
    """A tensor as a parameter; anything else as it is."""
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _described(value: Any, size: str) -> str:
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    where = "" if value.is_cpu else f" (GPU {value.get_device()})" if value.is_cuda else f" ({value.device})"
    return f"{kind} containing: [{value.dtype} of size {size}{where}]"


class ParameterList(Module):
    """A list of parameters; tensors become parameters, and other objects are held as they are.

    Example:
        >>> import tensorcore as tc
        >>> [list(p.shape) for p in tc.nn.ParameterList([tc.zeros(2), tc.zeros(3)])]
        [[2], [3]]
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def _name(self, index: Any) -> str:
        place = operator.index(index)
        if not -self._size <= place < self._size:
            raise IndexError(f"index {place} is out of range for a ParameterList of {self._size} values")
        return str(place + self._size if place < 0 else place)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(getattr(self, str(place)) for place in range(*index.indices(self._size)))
        return getattr(self, self._name(index))

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._name(index), _parameter(value))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (getattr(self, str(place)) for place in range(self._size))

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def __dir__(self) -> list[str]:
        return [key for key in super().__dir__() if not key.isdigit()]

    def append(self, value: Any) -> Self:
        """Add ``value`` at the end."""
        self._size += 1
        setattr(self, str(self._size - 1), _parameter(value))
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add all of ``values`` at the end."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(f"ParameterList.extend: expected several values, got {type(values).__name__}")
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        return "\n".join(
            f"  ({place}): " + _described(value, "x".join(map(str, value.shape)) if isinstance(value, Tensor) else "")
            for place, value in enumerate(self)
        )

    def __repr__(self) -> str:
        lines = self.extra_repr()
        return f"{self._get_name()}(\n" + indented("  " + lines) + "\n)" if lines else f"{self._get_name()}()"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterList should not be called; it holds parameters and has no forward")


class ParameterDict(Module):
    """A dict of parameters; tensors become parameters, and other objects are held as they are.

    Example:
        >>> import tensorcore as tc
        >>> list(tc.nn.ParameterDict({"scale": tc.ones(1), "shift": tc.zeros(1)}).keys())
        ['scale', 'shift']
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def _key(self, key: Any) -> str:
        if not isinstance(key, str):
            raise TypeError(f"ParameterDict: a key must be a string, got {type(key).__name__}")
        # A key such as "forward" is an attribute of the class, so it is stored under another name.
        return f"_ParameterDict_{key}" if hasattr(type(self), key) else key

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, self._key(key))

    def __setitem__(self, key: str, value: Any) -> None:
        self._keys[key] = None
        setattr(self, self._key(key), _parameter(value))

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, self._key(key))

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __or__(self, other: ParameterDict) -> ParameterDict:
        merged = self.copy()
        merged.update(other)
        return merged

    def __ror__(self, other: ParameterDict) -> ParameterDict:
        return other | self

    def __ior__(self, other: ParameterDict) -> Self:
        self.update(other)
        return self

    def copy(self) -> ParameterDict:
        """Another dict of the same parameters."""
        return ParameterDict(OrderedDict(self.items()))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of ``key``, set to ``default`` if there is none."""
        if key not in self._keys:
            self[key] = default
        return self[key]

    def get(self, key: str, default: Any = None) -> Any:
        """The value of ``key``, or ``default``."""
        return self[key] if key in self._keys else default

    def clear(self) -> None:
        """Remove all."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Remove ``key`` and return its value."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove the last pair and return it."""
        key = next(reversed(self))
        return key, self.pop(key)

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new dict with ``default`` under each of ``keys``."""
        return ParameterDict((key, default) for key in keys)

    def keys(self) -> Any:
        """The keys."""
        return self._keys.keys()

    def items(self) -> Iterator[tuple[str, Any]]:
        """(key, value) pairs."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Iterator[Any]:
        """The values."""
        return (self[key] for key in self._keys)

    def update(self, parameters: Any) -> None:
        """Add the values of a mapping (a plain dict in the order of its keys, as PyTorch does) or of pairs."""
        pairs = _pairs("ParameterDict", parameters)
        ordered = not isinstance(parameters, Mapping) or isinstance(parameters, OrderedDict)
        for key, value in pairs if ordered else sorted(pairs, key=lambda pair: pair[0]):
            self[key] = value

    def extra_repr(self) -> str:
        return "\n".join(
            f"  ({key}): " + _described(value, "x".join(map(str, value.shape)) if isinstance(value, Tensor) else "")
            for key, value in self.items()
        )

    def __repr__(self) -> str:
        lines = self.extra_repr()
        return f"{self._get_name()}(\n" + indented("  " + lines) + "\n)" if lines else f"{self._get_name()}()"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("ParameterDict should not be called; it holds parameters and has no forward")
