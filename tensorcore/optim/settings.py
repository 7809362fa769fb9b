"""What the optimizers share: checks of their settings, learning rates that are tensors, and step counters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorcore import dispatch
from tensorcore.autograd.mode import mode
from tensorcore.dtypes import DType, float32, float64, get_default_dtype
from tensorcore.errors import DTypeError
from tensorcore.ops.creation import tensor
from tensorcore.ops.inplace import add_into
from tensorcore.tensor import Tensor

__all__ = [
    "check_betas", "check_rate", "check_settings", "check_variants", "count_dtype", "counted", "learning_rate",
    "new_count", "renew", "require_real",
]  # fmt: skip


def check_settings(name: str, **settings: tuple[Any, bool]) -> None:
    """Raise ValueError for a setting that is out of range; each is (value, whether it is valid)."""
    for setting, (value, valid) in settings.items():
        if not valid:
            what = "learning rate" if setting == "lr" else f"{setting} value"
            raise ValueError(f"{name}: Invalid {what}: {value}")


def check_rate(name: str, lr: Any) -> None:
    """Raise ValueError unless the learning rate is a number or tensor of one element, and not negative."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError(f"{name}: Tensor lr must be 1-element, got shape {list(lr.shape)}")
    check_settings(name, lr=(lr, bool(lr >= 0)))


def check_betas(name: str, betas: Any) -> None:
    """Raise ValueError unless both betas are in [0, 1)."""
    for index, beta in enumerate(betas):
        if isinstance(beta, Tensor) and beta.numel() != 1:
            raise ValueError(f"{name}: Tensor betas[{index}] must be 1-element, got shape {list(beta.shape)}")
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"{name}: Invalid beta parameter at index {index}: {beta}")


def check_variants(name: str, foreach: Any, fused: Any, differentiable: bool) -> None:
    """Raise RuntimeError for a combination of implementations that PyTorch refuses."""
    if fused and differentiable:
        raise RuntimeError(f"{name}: `fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError(f"{name}: `fused` and `foreach` cannot be `True` together")


def learning_rate(group: dict[str, Any]) -> tuple[Any, Any]:
    """(number, tensor): ``lr`` of a group as a number, or as the 0-d tensor that takes its place."""
    lr = group["lr"]
    if not isinstance(lr, Tensor):
        return lr, None
    return 0.0, lr if lr.ndim == 0 else lr.reshape(())


def count_dtype() -> DType:
    """The dtype of counters: float32, unless the default is float64."""
    return float64 if get_default_dtype() is float64 else float32


def new_count(param: Any, value: float = 0.0) -> Any:
    """A step counter at ``value`` on the parameter's device."""
    return tensor(value, dtype=count_dtype(), device=param.device)


def counted(state: dict[str, Any], param: Any) -> Any:
    """The step counter of a parameter, counted up; a 0-d tensor, so that a recorded step counts on."""
    step = state["step"]
    if not isinstance(step, Tensor):
        step = state["step"] = new_count(param, float(step))
    return add_into(step, step._kind.scalar(1.0))


def renew(target: Any, formula: Callable[..., Any], *operands: Any) -> None:
    """Write ``formula(*operands)``, of 0-d tensors, into the 0-d ``target``.

    In host memory it is computed with Python's numbers, unless a program is being recorded or differentiated.
    """
    if not dispatch.is_busy() and not mode.grad and target._kind.backend.host_memory:
        operands = tuple([x.item() if isinstance(x, Tensor) else x for x in operands])
        target.fill_(formula(*operands))
    else:
        target.copy_(formula(*operands))


def require_real(name: str, param: Any) -> None:
    """Raise DTypeError for a complex parameter."""
    if param.is_complex():
        raise DTypeError(f"{name} does not support complex parameters, got one of {param.dtype}")
