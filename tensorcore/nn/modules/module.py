"""The base class of all layers and models."""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from tensorcore.compile import capture
from tensorcore.nn.modules.conversion import ModuleConversion
from tensorcore.nn.modules.hooks import *  # noqa: F403 - the hooks of all modules, which PyTorch has here
from tensorcore.nn.modules.hooks import (
    ModuleHooks,
    buffer_registration,
    everywhere,
    module_registration,
    parameter_registration,
)
from tensorcore.nn.modules.state import IncompatibleKeys, ModuleState
from tensorcore.nn.parameter import Buffer, Parameter
from tensorcore.tensor import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Module"]

#: PyTorch's name, which programs import from here.
_IncompatibleKeys = IncompatibleKeys

_REGISTRIES = ("_parameters", "_buffers", "_modules")


class Module(ModuleHooks, ModuleState, ModuleConversion):
    """Base class of layers and models: assign parameters and modules as attributes, and define ``forward``.

    Example:
        >>> import tensorcore as tc
        >>> class Scale(tc.nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.factor = tc.nn.Parameter(tc.tensor(2.0))
        ...     def forward(self, x):
        ...         return x * self.factor
        >>> Scale()(tc.ones(2))
        tensor([2., 2.], grad_fn=<MulBackward0>)
    """

    call_super_init: bool = False
    _compiled_call_impl: Callable[..., Any] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if (args or kwargs) and not self.call_super_init:
            met = ", ".join((*(type(arg).__name__ for arg in args), *kwargs))
            name = type(self).__name__
            raise TypeError(f"{name}.__init__ passes arguments to Module.__init__, which takes none: {met}")
        # Past __setattr__, which would look for parameters among these.
        self.__dict__.update(_fresh())
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # ---------------------------------------------------------------- calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if capture.recordings:
            capture.guard(self._recorded_settings)
        try:
            call = self._compiled_call_impl or self.forward
            if self._call_hooks is not None or everywhere.used:
                return self._call_with_hooks(call, args, kwargs)
            return call(*args, **kwargs)
        except Exception as error:
            _note_place(error, self, args)
            raise

    def _recorded_settings(self) -> tuple[Any, ...]:
        """What a recorded program takes for given: the mode, and which parameters, buffers and children there are."""
        return (
            self.training,
            [id(each) for each in self._parameters.values()],
            [id(each) for each in self._buffers.values()],
            [id(each) for each in self._modules.values()],
        )

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every subclass defines it, and it is called by calling the module."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Let calls of this module run compiled; the arguments are those of `tensorcore.compile`."""
        from tensorcore.compile.function import compile

        self._compiled_call_impl = compile(self.forward, *args, **kwargs)

    # ---------------------------------------------------------------- registration

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, or the name of one that is absent (``None``).

        Raises:
            TypeError: if it is no `Parameter`, or is not a leaf.
            KeyError: for a name that is empty, contains a dot or is taken.
        """
        self._check_name("parameter", name, "_parameters")
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(f"parameter {name!r}: expected a Parameter or None, got {type(param).__name__}")
        if param is not None and param.grad_fn is not None:
            raise ValueError(f"parameter {name!r}: a parameter must be a leaf, not the result of {param.grad_fn}")
        self._parameters[name] = _passed(parameter_registration, self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is state but no parameter; ``state_dict`` has it if ``persistent``.

        Raises:
            TypeError: if it is no tensor.
            KeyError: for a name that is empty, contains a dot or is taken.

        Example:
            >>> import tensorcore as tc
            >>> m = tc.nn.Module()
            >>> m.register_buffer("mean", tc.zeros(2))
            >>> m.mean
            tensor([0., 0.])
        """
        self._check_name("buffer", name, "_buffers")
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"buffer {name!r}: expected a tensor or None, got {type(tensor).__name__}")
        self._buffers[name] = _passed(buffer_registration, self, name, tensor)
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module, or the name of one that is absent (``None``).

        Raises:
            TypeError: if it is no module.
            KeyError: for a name that is empty, contains a dot or is taken.
        """
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"module {name!r}: expected a Module or None, got {type(module).__name__}")
        self._check_name("module", name, "_modules")
        self._modules[name] = _passed(module_registration, self, name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    def _check_name(self, what: str, name: Any, registry: str) -> None:
        if registry not in self.__dict__:
            raise AttributeError(f"cannot assign {what} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{what} name should be a string, got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{what} name can\'t contain ".", got: {name}')
        if not name:
            raise KeyError(f'{what} name can\'t be empty string ""')
        if hasattr(self, name) and name not in self.__dict__[registry]:
            raise KeyError(f"attribute {name!r} already exists")

    # ---------------------------------------------------------------- attributes

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for registry in _REGISTRIES:
            found = own.get(registry)
            if found is not None and name in found:
                return found[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            self._require_init(own, "parameters")
            self._forget(name, "_parameters")
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._require_init(own, "module")
            self._forget(name, "_modules")
            own["_modules"][name] = _passed(module_registration, self, name, value)
        elif isinstance(value, Buffer):
            self._require_init(own, "buffers")
            self._forget(name, "_buffers")
            self.register_buffer(name, value, value.persistent)
        elif "_parameters" not in own:
            object.__setattr__(self, name, value)
        elif name in own["_parameters"]:
            if value is not None:
                raise TypeError(_misfit(value, "parameter", name, "Parameter"))
            self.register_parameter(name, None)
        elif name in own["_modules"]:
            if value is not None:
                raise TypeError(_misfit(value, "child module", name, "Module"))
            own["_modules"][name] = _passed(module_registration, self, name, None)
        elif name in own["_buffers"]:
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(_misfit(value, "buffer", name, "Tensor"))
            own["_buffers"][name] = _passed(buffer_registration, self, name, value)
        else:
            object.__setattr__(self, name, value)

    @staticmethod
    def _require_init(own: dict[str, Any], what: str) -> None:
        if "_parameters" not in own:
            raise AttributeError(f"cannot assign {what} before Module.__init__() call")

    def _forget(self, name: str, keep: str) -> None:
        """Remove ``name`` from wherever it is but the registry ``keep``, in which its place is kept."""
        own = self.__dict__
        own.pop(name, None)
        for registry in _REGISTRIES:
            if registry != keep:
                own[registry].pop(name, None)
        own["_non_persistent_buffers_set"].discard(name)

    def __delattr__(self, name: str) -> None:
        own = self.__dict__
        for registry in _REGISTRIES:
            if name in own.get(registry, ()):
                del own[registry][name]
                own["_non_persistent_buffers_set"].discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers}
        return sorted(name for name in names if not name[0].isdigit())

    # ---------------------------------------------------------------- copies

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_compiled_call_impl", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(_fresh())
        self.__dict__.update(state)

    # ---------------------------------------------------------------- text

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What ``repr`` shows between the parentheses; a subclass returns its settings."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        if not self._modules:
            if len(lines) > 1:
                return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"
            return f"{self._get_name()}({extra})"
        lines += [f"({name}): " + indented(repr(module)) for name, module in self._modules.items()]
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


def _addindent(s_: str, numSpaces: int) -> str:
    """``s_`` with its lines after the first moved right."""
    return s_.replace("\n", "\n" + " " * numSpaces)


def indented(text: str) -> str:
    """``text`` with its lines after the first moved right by two."""
    return text.replace("\n", "\n  ")


def _fresh() -> dict[str, Any]:
    return {
        "training": True,
        "_parameters": {},
        "_buffers": {},
        "_non_persistent_buffers_set": set(),
        "_modules": {},
        "_state_dict_hooks": OrderedDict(),
        "_state_dict_pre_hooks": OrderedDict(),
        "_load_state_dict_pre_hooks": OrderedDict(),
        "_load_state_dict_post_hooks": OrderedDict(),
    }


def _passed(hooks: Any, module: Module, name: str, value: Any) -> Any:
    """What the registration hooks make of ``value``."""
    for hook in list(hooks.values()):
        replaced = hook(module, name, value)
        if replaced is not None:
            value = replaced
    return value


def _misfit(value: Any, what: str, name: str, wanted: str) -> str:
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    return f"cannot assign {kind!r} object as {what} {name!r} (tensorcore.nn.{wanted} or None required)"


# ------------------------------------------------------------------ where an error happened


def _note_place(error: Exception, module: Module, args: tuple[Any, ...]) -> None:
    """Note on ``error`` which module of the tree raised it, once, in the innermost call."""
    if getattr(error, "_module_noted", False):
        return
    error._module_noted = True  # type: ignore[attr-defined]
    path = _path_of(module)
    where = f"in module {path!r} ({type(module).__name__})" if path else f"in module {type(module).__name__}"
    met = ", ".join(f"{list(arg.shape)} {arg.dtype.name}" for arg in args if isinstance(arg, Tensor))
    error.add_note(f"{where}, called with {met}" if met else where)


def _path_of(module: Module) -> str:
    """Path of ``module`` below the outermost module being called that contains it."""
    enclosing = []
    frame: Any = sys._getframe(1)
    while frame is not None:
        if frame.f_code is Module.__call__.__code__:
            enclosing.append(frame.f_locals["self"])
        frame = frame.f_back
    for root in reversed(enclosing):
        for path, found in root.named_modules():
            if found is module:
                return str(path)
    return ""
