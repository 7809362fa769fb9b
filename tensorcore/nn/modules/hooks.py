"""Hooks of modules: on forward, on backward, on registration; for one module or for all of them."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from tensorcore.autograd.function import Function
from tensorcore.autograd.hooks import RemovableHandle, checked
from tensorcore.autograd.mode import is_grad_enabled
from tensorcore.nn.modules.tree import ModuleTree
from tensorcore.tensor import Tensor

__all__ = [
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

Hooks = OrderedDict[int, Callable[..., Any]]


class CallHooks:
    """The hooks around calls, and which of them want keyword arguments or run after an error too."""

    __slots__ = ("always", "backward", "backward_pre", "forward", "forward_pre", "used", "with_kwargs")

    def __init__(self) -> None:
        #: Whether any was ever registered here.
        self.used = False
        self.forward_pre: Hooks = OrderedDict()
        self.forward: Hooks = OrderedDict()
        self.backward_pre: Hooks = OrderedDict()
        self.backward: Hooks = OrderedDict()
        self.with_kwargs: set[int] = set()
        self.always: set[int] = set()


#: Hooks of all modules.
everywhere: Final = CallHooks()
#: Stands for those of a module that has none.
NONE: Final = CallHooks()
parameter_registration: Final[Hooks] = OrderedDict()
buffer_registration: Final[Hooks] = OrderedDict()
module_registration: Final[Hooks] = OrderedDict()


def _add(
    hooks: Hooks, hook: Callable[..., Any], prepend: bool = False, *marks: tuple[bool, set[int]]
) -> RemovableHandle:
    handle = RemovableHandle.add(hooks, hook)
    for wanted, marked in marks:
        if wanted:
            marked.add(handle.id)
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


class ModuleHooks(ModuleTree):
    """Registration of hooks, and the call that runs them; a part of `Module`."""

    #: ``None`` until the first hook is registered, which makes the usual call one test shorter.
    _call_hooks: CallHooks | None = None

    def _own_hooks(self) -> CallHooks:
        if self._call_hooks is None:
            self._call_hooks = CallHooks()
        return self._call_hooks

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before each forward; it may return other arguments.

        With ``with_kwargs`` it is ``hook(module, args, kwargs)`` and returns ``(args, kwargs)`` or ``None``.
        """
        own = self._own_hooks()
        return _add(own.forward_pre, hook, prepend, (with_kwargs, own.with_kwargs))

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after each forward; it may return another output.

        With ``with_kwargs`` it is ``hook(module, args, kwargs, output)``; with ``always_call`` it runs, with output
        ``None``, also when forward raises.

        Example:
            >>> import tensorcore as tc
            >>> relu = tc.nn.ReLU()
            >>> handle = relu.register_forward_hook(lambda module, args, output: print(output))
            >>> _ = relu(tc.tensor([-1.0, 1.0]))
            tensor([0., 1.])
            >>> handle.remove()
        """
        own = self._own_hooks()
        return _add(own.forward, hook, prepend, (with_kwargs, own.with_kwargs), (always_call, own.always))

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` before backward of the module; it may return other gradients."""
        return _add(self._own_hooks().backward_pre, hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` after backward of the module; it may return ``grad_input``."""
        return _add(self._own_hooks().backward, hook, prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """The same as `register_full_backward_hook`: PyTorch's older form, deprecated there."""
        return self.register_full_backward_hook(hook)

    @property
    def _forward_pre_hooks(self) -> Hooks:
        return self._own_hooks().forward_pre

    @property
    def _forward_hooks(self) -> Hooks:
        return self._own_hooks().forward

    @property
    def _backward_pre_hooks(self) -> Hooks:
        return self._own_hooks().backward_pre

    @property
    def _backward_hooks(self) -> Hooks:
        return self._own_hooks().backward

    def _call_with_hooks(self, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        own = self._call_hooks or NONE
        called: set[int] = set()
        try:
            args, kwargs = self._run_pre_hooks(args, kwargs)
            boundary = None
            if everywhere.backward or everywhere.backward_pre or own.backward or own.backward_pre:
                boundary = _Boundary(self)
                args = boundary.inputs(args)
            result = forward(*args, **kwargs)
            for registry in (everywhere, own):
                for key, hook in list(registry.forward.items()):
                    called.add(key)
                    extra = (kwargs,) if key in registry.with_kwargs else ()
                    replaced = hook(self, args, *extra, result)
                    if replaced is not None:
                        result = replaced
            return result if boundary is None else boundary.outputs(result)
        except Exception:
            self._run_always_called(called, args, kwargs)
            raise

    def _run_pre_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        for registry in (everywhere, self._call_hooks or NONE):
            for key, hook in list(registry.forward_pre.items()):
                if key in registry.with_kwargs:
                    replaced = hook(self, args, kwargs)
                    if replaced is not None:
                        if not isinstance(replaced, tuple) or len(replaced) != 2:
                            raise RuntimeError(
                                f"forward pre-hook must return None or a tuple (args, kwargs), got {replaced!r}"
                            )
                        args, kwargs = replaced
                else:
                    replaced = hook(self, args)
                    if replaced is not None:
                        args = replaced if isinstance(replaced, tuple) else (replaced,)
        return args, kwargs

    def _run_always_called(self, called: set[int], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        for registry in (everywhere, self._call_hooks or NONE):
            for key, hook in list(registry.forward.items()):
                if key in registry.always and key not in called:
                    extra = (kwargs,) if key in registry.with_kwargs else ()
                    try:
                        hook(self, args, *extra, None)
                    except Exception as error:
                        # The error of forward is the one to be raised.
                        text = f"a forward hook with always_call raised {error!r}, which is ignored"
                        warnings.warn(text, stacklevel=2)


# ------------------------------------------------------------------ backward


class _Inputs(Function):
    """The identity on a module's inputs; its backward is the end of the module's backward."""

    @staticmethod
    def forward(ctx: Any, boundary: Any, *tensors: Any) -> Any:
        ctx.boundary = boundary
        ctx.set_materialize_grads(False)
        return tensors

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return (None, *ctx.boundary.finish(gradients))


class _Outputs(Function):
    """The identity on a module's outputs; its backward is the start of the module's backward."""

    @staticmethod
    def forward(ctx: Any, boundary: Any, *tensors: Any) -> Any:
        ctx.boundary = boundary
        ctx.set_materialize_grads(False)
        return tensors

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        return (None, *ctx.boundary.start(gradients))


class _Boundary:
    """Encloses one call of a module, and runs its backward hooks when backward passes through."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.hooks = module._call_hooks or NONE
        self.count = 0
        self.input_places: list[int] = []
        self.output_places: list[int] = []
        self.output_count = 0
        self.grad_output: tuple[Any, ...] | None = None

    def inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.count = len(args)
        if not is_grad_enabled():
            return args
        self.input_places = [i for i, arg in enumerate(args) if isinstance(arg, Tensor) and arg.requires_grad]
        return self._through(_Inputs, args, self.input_places)

    def outputs(self, result: Any) -> Any:
        results = result if isinstance(result, tuple) else (result,)
        self.output_count = len(results)
        if not is_grad_enabled():
            return result
        self.output_places = [i for i, out in enumerate(results) if isinstance(out, Tensor) and out.requires_grad]
        results = self._through(_Outputs, results, self.output_places)
        if not isinstance(result, tuple):
            return results[0]
        # A named tuple stays one.
        return type(result)(*results) if hasattr(result, "_fields") else results

    def _through(self, function: type[Function], values: tuple[Any, ...], places: list[int]) -> tuple[Any, ...]:
        if not places:
            return values
        passed = list(values)
        for place, tensor in zip(places, function.apply(self, *(values[i] for i in places)), strict=True):
            passed[place] = tensor
        return tuple(passed)

    def start(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        """Run the pre-hooks; where no input requires grad nothing else will come, so run the hooks as well."""
        grad_output = _spread(gradients, self.output_places, self.output_count)
        for hooks in (everywhere.backward_pre, self.hooks.backward_pre):
            for hook in list(hooks.values()):
                replaced = hook(self.module, grad_output)
                if replaced is not None:
                    grad_output = _as_many(replaced, grad_output, "grad_output")
        self.grad_output = grad_output
        if not self.input_places:
            self._run((None,) * self.count)
        return tuple(grad_output[i] for i in self.output_places)

    def finish(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        grad_input = self._run(_spread(gradients, self.input_places, self.count))
        return tuple(grad_input[i] for i in self.input_places)

    def _run(self, grad_input: tuple[Any, ...]) -> tuple[Any, ...]:
        for hooks in (everywhere.backward, self.hooks.backward):
            for hook in list(hooks.values()):
                replaced = hook(self.module, grad_input, self.grad_output)
                if replaced is not None:
                    if not self.input_places:
                        raise RuntimeError(
                            f"backward hook of {type(self.module).__name__}: it returned a grad_input, but no input of "
                            "the module requires grad"
                        )
                    grad_input = _as_many(replaced, grad_input, "grad_input")
        return grad_input


def _spread(values: tuple[Any, ...], places: list[int], count: int) -> tuple[Any, ...]:
    spread: list[Any] = [None] * count
    for place, value in zip(places, values, strict=True):
        spread[place] = value
    return tuple(spread)


def _as_many(values: Any, held: tuple[Any, ...], what: str) -> tuple[Any, ...]:
    count = len(held)
    values = tuple(values) if isinstance(values, (tuple, list)) else (values,)
    if len(values) != count:
        raise RuntimeError(f"backward hook: {what} has {count} entries, the hook returned {len(values)}")
    return tuple([
        each if before is None or each is None else checked("backward hook", each, before)
        for each, before in zip(values, held, strict=True)
    ])  # fmt: skip


# ------------------------------------------------------------------ for all modules


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, args)`` before forward of every module; for debugging and profiling."""
    everywhere.used = True
    return _add(everywhere.forward_pre, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call ``hook(module, args, output)`` after forward of every module."""
    everywhere.used = True
    marks = ((with_kwargs, everywhere.with_kwargs), (always_call, everywhere.always))
    return _add(everywhere.forward, hook, False, *marks)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_output)`` before backward of every module."""
    everywhere.used = True
    return _add(everywhere.backward_pre, hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, grad_input, grad_output)`` after backward of every module."""
    everywhere.used = True
    return _add(everywhere.backward, hook)


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """The same as `register_module_full_backward_hook`: PyTorch's older form, deprecated there."""
    return register_module_full_backward_hook(hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, buffer)`` when a buffer is registered; it may return another buffer."""
    return _add(buffer_registration, hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, submodule)`` when a child is registered; it may return another module."""
    return _add(module_registration, hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call ``hook(module, name, parameter)`` when a parameter is registered; it may return another parameter."""
    return _add(parameter_registration, hook)
