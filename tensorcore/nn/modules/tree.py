"""A module as the root of a tree: its parameters, buffers and children, and walks over all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from tensorcore.nn.modules.module import Module
    from tensorcore.nn.parameter import Parameter
    from tensorcore.tensor import Tensor


class ModuleTree:
    """What a module owns, and how to find it; a part of `Module`."""

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _non_persistent_buffers_set: set[str]
    _modules: dict[str, Module | None]

    # ---------------------------------------------------------------- children and modules

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """(name, module) of each child, a child held twice only once.

        Example:
            >>> import tensorcore as tc
            >>> [name for name, _ in tc.nn.Sequential(tc.nn.ReLU(), tc.nn.Tanh()).named_children()]
            ['0', '1']
        """
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """Each child, once."""
        for _, module in self.named_children():
            yield module

    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """(path, module) of this module, whose path is ``prefix``, and of all below it, parents first.

        Example:
            >>> import tensorcore as tc
            >>> [name for name, _ in tc.nn.Sequential(tc.nn.ReLU()).named_modules()]
            ['', '0']
        """
        if memo is None:
            memo = set()
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self  # type: ignore[misc]
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, _join(prefix, name), remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it, each once, or with ``remove_duplicate=False`` wherever it is."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    # ---------------------------------------------------------------- parameters and buffers

    def _named_members(
        self,
        get_members_fn: Callable[[Any], Iterable[tuple[str, Any]]],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules: Iterable[tuple[str, Any]] = (
            self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else ((prefix, self),)
        )
        for path, module in modules:
            for name, member in get_members_fn(module):
                if member is None or member in seen:
                    continue
                if remove_duplicate:
                    seen.add(member)
                yield _join(path, name), member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """(path, parameter) of each parameter here and, with ``recurse``, below.

        Example:
            >>> import tensorcore as tc
            >>> [(name, list(p.shape)) for name, p in tc.nn.Linear(3, 2).named_parameters()]
            [('weight', [2, 3]), ('bias', [2])]
        """
        return self._named_members(lambda module: module._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Each parameter here and, with ``recurse``, below; what an optimizer takes."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """(path, buffer) of each buffer here and, with ``recurse``, below."""
        return self._named_members(lambda module: module._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Each buffer here and, with ``recurse``, below."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    # ---------------------------------------------------------------- by path

    def get_submodule(self, target: str) -> Module:
        """The module at the path ``target``, such as ``"layer1.0.conv"``; this module for ``""``.

        Raises:
            AttributeError: naming the step that does not exist or is no module.
        """
        from tensorcore.nn.modules.module import Module

        module: Any = self
        for step in target.split(".") if target else ():
            if not hasattr(module, step):
                raise AttributeError(f"{module._get_name()} has no attribute {step!r} (looking for {target!r})")
            module = getattr(module, step)
            if not isinstance(module, Module):
                raise AttributeError(f"{step!r} in {target!r} is not a module but a {type(module).__name__}")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put ``module`` at the path ``target``; with ``strict`` only where there is one already.

        Raises:
            ValueError: for an empty path, or a value that is no module.
            AttributeError: if a step does not exist or is no module.
        """
        from tensorcore.nn.modules.module import Module

        if not target:
            raise ValueError("set_submodule: the path is empty; a module cannot replace itself")
        if not isinstance(module, Module):
            raise ValueError(f"set_submodule: expected a module, got {type(module).__name__}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute {name!r}, to be replaced by strict=True")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError(f"{name!r} in {target!r} is not a module but a {type(getattr(parent, name)).__name__}")
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at the path ``target``, such as ``"fc.weight"``; raises AttributeError if there is none."""
        return self._member(target, "_parameters", "parameter")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at the path ``target``; raises AttributeError if there is none."""
        return self._member(target, "_buffers", "buffer")

    def _member(self, target: str, registry: str, what: str) -> Any:
        path, _, name = target.rpartition(".")
        module: Any = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute {name!r} (looking for {target!r})")
        found = getattr(module, registry).get(name)
        if found is None:
            raise AttributeError(f"{name!r} in {target!r} is not a {what}")
        return found

    # ---------------------------------------------------------------- modes

    def train(self, mode: bool = True) -> Self:
        """Switch this module and all below it to training mode (dropout drops, batch norm uses the batch)."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: mode is expected to be a bool, got {type(mode).__name__}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Switch this module and all below it to evaluation mode."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set ``requires_grad`` of every parameter, to freeze or unfreeze the module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; with ``set_to_none=False`` fill them with zeros."""
        for parameter in self.parameters():
            if parameter.grad is not None:
                if set_to_none:
                    parameter.grad = None
                else:
                    parameter.grad = parameter.grad.detach()
                    parameter.grad.zero_()

    def apply(self, fn: Callable[[Module], None]) -> Self:
        """Call ``fn`` on every module below this one, then on this one; to initialise weights, say.

        Example:
            >>> import tensorcore as tc
            >>> net = tc.nn.Sequential(tc.nn.Linear(2, 2), tc.nn.ReLU())
            >>> _ = net.apply(lambda m: print(type(m).__name__))
            Linear
            ReLU
            Sequential
        """
        for module in self.children():
            module.apply(fn)
        fn(self)  # type: ignore[arg-type]
        return self


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name
