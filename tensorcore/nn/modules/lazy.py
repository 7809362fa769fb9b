"""Modules that learn the sizes of their parameters from the first input."""

from __future__ import annotations

from typing import Any

from tensorcore.autograd.mode import no_grad
from tensorcore.nn.modules.module import Module
from tensorcore.nn.parameter import is_lazy

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin(Module):
    """What a lazy module has besides its layer: parameters without a shape, until the first call or a state_dict.

    A subclass names the class it becomes in ``cls_to_become`` and defines ``initialize_parameters(input)``, which gives
    its `UninitializedParameter` and `UninitializedBuffer` their shapes.

    Raises:
        RuntimeError: if a call leaves one without a shape.
    """

    cls_to_become: type[Module] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load_hook = self._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = self.register_forward_pre_hook(self._infer_parameters, with_kwargs=True)

    def _tensors(self) -> dict[str, Any]:
        return {**self._parameters, **self._buffers}

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        for name, tensor in self._tensors().items():
            if tensor is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = tensor if keep_vars or is_lazy(tensor) else tensor.detach()

    def _lazy_load_hook(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        """Give each tensor the shape it has in the state."""
        for name, tensor in self._tensors().items():
            value = state_dict.get(prefix + name)
            if value is not None and is_lazy(tensor) and not is_lazy(value):
                with no_grad():
                    tensor.materialize(value.shape)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters the shapes that the input asks for; defined by the subclass."""
        raise NotImplementedError(f"{type(self).__name__}.initialize_parameters is not defined")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer has no shape yet."""
        return any(map(is_lazy, self._tensors().values()))

    def _infer_parameters(self, module: Any, args: Any, kwargs: Any = None) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"{type(self).__name__}: initialize_parameters left a parameter without a shape")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become
