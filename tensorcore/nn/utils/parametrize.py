"""Parametrisations: a parameter computed from others each time it is read, such as one kept orthogonal."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tensorcore.autograd.mode import no_grad
from tensorcore.nn.modules.container import ModuleDict, ModuleList
from tensorcore.nn.modules.module import Module
from tensorcore.nn.parameter import Parameter
from tensorcore.tensor import Tensor

__all__ = [
    "ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
    "transfer_parametrizations_and_params", "type_before_parametrizations",
]  # fmt: skip

_depth = 0
_cache: dict[tuple[int, str], Tensor] = {}


@contextmanager
def cached() -> Iterator[None]:
    """Compute each parametrised tensor once inside the block, however often it is read.

    Example:
        >>> import tensorcore as tc
        >>> with tc.nn.utils.parametrize.cached():
        ...     pass
    """
    global _depth
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if not _depth:
            _cache.clear()


def _register(module: Module, name: str, tensor: Tensor) -> None:
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


def _unlike(made: Any, wanted: Tensor, what: str) -> None:
    """Raise ValueError unless ``made`` is a tensor of the dtype and shape of ``wanted``."""
    if not isinstance(made, Tensor):
        raise ValueError(f"parametrize: {what} must return a tensor, got {type(made).__name__}")
    if made.dtype is not wanted.dtype or made.shape != wanted.shape:
        raise ValueError(
            f"parametrize: {what} may not change dtype or shape, {wanted.dtype} {list(wanted.shape)}, but returned "
            f"{made.dtype} {list(made.shape)}; pass unsafe=True if that is intended"
        )


class ParametrizationList(ModuleList):
    """The parametrisations of one tensor, in the order they apply, and the tensor or tensors they start from.

    Attributes:
        original: what the first one takes; or ``original0``, ``original1``, ... where its ``right_inverse`` gives
            several.

    Raises:
        ValueError: without modules, for a ``right_inverse`` that returns no tensors, and unless ``unsafe`` for a
            result of another dtype or shape.
    """

    original: Tensor

    def __init__(self, modules: Sequence[Module], original: Tensor, unsafe: bool = False) -> None:
        if not modules:
            raise ValueError("ParametrizationList: expected at least one module")
        super().__init__(modules)
        self.unsafe = unsafe
        before = original.detach()
        with no_grad():
            new: Any = original
            for module in reversed(list(self)):
                if hasattr(module, "right_inverse"):
                    try:
                        new = module.right_inverse(new)
                    except NotImplementedError:
                        continue
        self.is_tensor = isinstance(new, Tensor)
        if self.is_tensor:
            if new.dtype is not original.dtype or new.device != original.device:
                raise ValueError(
                    f"ParametrizationList: right_inverse may not change dtype or device, {original.dtype} on "
                    f"{original.device}, but returned {new.dtype} on {new.device}"
                )
            self.ntensors = 1
            if new is not original:
                original.data = new.detach()
            _register(self, "original", original)
        else:
            if not isinstance(new, Sequence) or not all(isinstance(x, Tensor) for x in new):
                raise ValueError(
                    f"ParametrizationList: right_inverse must return a tensor or a sequence of them, got "
                    f"{type(new).__name__}"
                )
            self.ntensors = len(new)
            for place, x in enumerate(new):
                kept = Parameter(x.detach(), original.requires_grad) if isinstance(original, Parameter) else x
                _register(self, f"original{place}", kept)
        if not unsafe:
            _unlike(self(), before, "a parametrization")

    def right_inverse(self, value: Tensor) -> None:
        """Set the originals so that the parametrised tensor becomes ``value``, by each module's ``right_inverse``."""
        with no_grad():
            new: Any = value
            for module in reversed(list(self)):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse")
                new = module.right_inverse(new)
            if self.is_tensor and not isinstance(new, Tensor):
                raise ValueError(f"right_inverse must return a tensor, got {type(new).__name__}")
            given = [new] if self.is_tensor else list(new) if isinstance(new, Sequence) else None
            if given is None or len(given) != self.ntensors:
                raise ValueError(f"right_inverse must return a sequence of {self.ntensors} tensors")
            for name, x in zip(self._names(), given, strict=True):
                own = getattr(self, name)
                if x.dtype is not own.dtype:
                    raise ValueError(f"right_inverse returned {x.dtype}, while {name!r} is {own.dtype}")
                own.data = x.detach()

    def _names(self) -> list[str]:
        return ["original"] if self.is_tensor else [f"original{place}" for place in range(self.ntensors)]

    def forward(self) -> Tensor:
        first, *rest = list(self)
        out: Any = first(*(getattr(self, name) for name in self._names()))
        for module in rest:
            out = module(out)
        return out


def _deepcopy(self: Any, memo: dict[int, Any]) -> Any:
    replica = object.__new__(type(self))
    memo[id(self)] = replica
    replica.__dict__ = copy.deepcopy(self.__dict__, memo)
    return replica


def _refuse_pickling(self: Any) -> Any:
    raise RuntimeError(
        f"{type(self).__name__}: a parametrized module, whose class exists in this program only, is saved by its "
        "state_dict"
    )


def _inject(module: Module, name: str) -> None:
    """Let the module's class, one of its own, compute ``name`` when it is read."""

    def read(self: Any) -> Any:
        own = self.parametrizations[name]
        if not _depth:
            return own()
        key = (id(self), name)
        if key not in _cache:
            _cache[key] = own()
        return _cache[key]

    def write(self: Any, value: Tensor) -> None:
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(read, write))


def register_parametrization(
    module: Module, tensor_name: str, parametrization: Module, *, unsafe: bool = False
) -> Module:
    """Let ``module.<tensor_name>``, a parameter or buffer, be computed by ``parametrization`` from what it was.

    The original is ``module.parametrizations.<tensor_name>.original``. A ``right_inverse`` of the parametrisation
    makes the tensor assignable and gives the original its first value.

    Raises:
        ValueError: if there is no such tensor; unless ``unsafe``, if dtype or shape changes.

    Example:
        >>> import tensorcore as tc
        >>> class Symmetric(tc.nn.Module):
        ...     def forward(self, x):
        ...         return x + x.T
        >>> layer = tc.nn.Linear(2, 2)
        >>> layer = tc.nn.utils.parametrize.register_parametrization(layer, "weight", Symmetric())
        >>> bool((layer.weight == layer.weight.T).all())
        True
    """
    parametrization.train(module.training)
    if is_parametrized(module, tensor_name):
        own = module.parametrizations[tensor_name]
        if not unsafe:
            now = getattr(module, tensor_name)
            made = parametrization(now)
            _unlike(made, now, "a parametrization")
            if hasattr(parametrization, "right_inverse"):
                try:
                    back = parametrization.right_inverse(made)
                except NotImplementedError:
                    pass
                else:
                    _unlike(back, now, "right_inverse")
        own.append(parametrization)
        own.unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        original = getattr(module, tensor_name)
        made = ParametrizationList([parametrization], original, unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            own_class: Any = type(module)
            methods: dict[str, Any] = {"__deepcopy__": _deepcopy, "__getstate__": _refuse_pickling}
            module.__class__ = type(f"Parametrized{own_class.__name__}", (own_class,), methods)
            module.parametrizations = ModuleDict()
        _inject(module, tensor_name)
        module.parametrizations[tensor_name] = made
    else:
        raise ValueError(
            f"register_parametrization: {type(module).__name__} has no parameter, buffer or parametrized tensor "
            f"{tensor_name!r}"
        )
    return module


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Whether ``module``, or its tensor ``tensor_name``, is parametrised.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.utils.parametrize.is_parametrized(tc.nn.Linear(2, 2))
        False
    """
    found = getattr(module, "parametrizations", None)
    if not isinstance(found, ModuleDict):
        return False
    return len(found) > 0 if tensor_name is None else tensor_name in found


def remove_parametrizations(module: Module, tensor_name: str, leave_parametrized: bool = True) -> Module:
    """Make ``module.<tensor_name>`` a plain parameter or buffer again, of its value now or, else, the original one.

    Raises:
        ValueError: if it is not parametrised; if the original is several tensors and should be left.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"remove_parametrizations: {type(module).__name__} has no parametrized {tensor_name!r}")
    own = module.parametrizations[tensor_name]
    if own.is_tensor:
        original = own.original
        if leave_parametrized:
            with no_grad():
                original.data = getattr(module, tensor_name).detach()
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value.detach()) if value.requires_grad else value
    else:
        raise ValueError(
            f"remove_parametrizations: {tensor_name!r} is made of {own.ntensors} tensors, none of which is the original"
        )
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    _register(module, tensor_name, original)
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    return module


def type_before_parametrizations(module: Module) -> type:
    """The class of ``module``, or the one it had before it was parametrised.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.utils.parametrize.type_before_parametrizations(tc.nn.Identity()).__name__
        'Identity'
    """
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(
    from_module: Module, to_module: Module, tensor_name: str | None = None
) -> Module:
    """Give ``to_module`` the parametrisations of ``from_module``, of one tensor or all, and their originals."""
    if not is_parametrized(from_module):
        return to_module
    for name in list(from_module.parametrizations) if tensor_name is None else [tensor_name]:
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        own = from_module.parametrizations[name]
        for parametrization in own:
            register_parametrization(to_module, name, parametrization)
        for original in own._names():
            setattr(to_module.parametrizations[name], original, getattr(own, original))
    return to_module
