"""The functions of ``torch.nn.functional``, derived from the op records that name this namespace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorcore.ops.inplace import write as _write
from tensorcore.ops.publish import publish as _publish
from tensorcore.ops.record import REGISTRY as _REGISTRY

__all__ = _publish("nn.functional", globals())

#: The functions whose in-place form PyTorch has here.
_IN_PLACE = ("relu", "leaky_relu", "elu", "selu", "celu", "hardtanh", "threshold", "rrelu")


def _in_place(op: Any) -> Callable[..., Any]:
    def function(input: Any, *args: Any, **kwargs: Any) -> Any:
        return _write(input, op(input, *args, **kwargs), function.__name__)

    function.__name__ = function.__qualname__ = f"{op.name}_"
    function.__doc__ = f"`{op.name}` in place: the result becomes the content of ``input``."
    function.__module__ = __name__
    return function


def _add_others() -> None:
    for name in _IN_PLACE:
        globals()[f"{name}_"] = _in_place(_REGISTRY[name])
        __all__.append(f"{name}_")
    globals()["tanh"] = _REGISTRY["tanh"].front
    __all__.append("tanh")


_add_others()
