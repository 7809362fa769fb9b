"""Adam and AdamW."""

from __future__ import annotations

from typing import Any

from tensorcore.ops.creation import zeros_like
from tensorcore.ops.optimizer import adam_update
from tensorcore.optim.optimizer import Optimizer
from tensorcore.optim.settings import (
    check_betas,
    check_rate,
    check_settings,
    check_variants,
    counted,
    learning_rate,
    new_count,
)
from tensorcore.tensor import Tensor

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Adam: steps scaled by running moments of the gradients (Kingma and Ba 2014).

    ``amsgrad`` divides by the largest second moment so far (Reddi et al. 2018); ``decoupled_weight_decay`` makes it
    `AdamW`. ``foreach``, ``fused`` and ``capturable`` are accepted and have no effect: the backend chooses its own
    kernel, and every step can be recorded.

    Raises:
        ValueError: for a setting out of range.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.Parameter(tc.tensor([1.0, 2.0]))
        >>> optimizer = tc.optim.Adam([w], lr=0.5)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.5000, 1.5000])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0,
        amsgrad: bool = False, *, foreach: bool | None = None, maximize: bool = False, capturable: bool = False,
        differentiable: bool = False, fused: bool | None = None, decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        name = type(self).__name__
        if foreach and not capturable and any(isinstance(x, Tensor) for x in (lr, *betas)):
            raise ValueError(f"{name}: lr and betas as tensors are not supported for capturable=False and foreach=True")
        check_rate(name, lr)
        check_settings(name, epsilon=(eps, eps >= 0), weight_decay=(weight_decay, weight_decay >= 0))
        check_betas(name, betas)
        if not all(isinstance(x, float) for x in betas) and not all(isinstance(x, Tensor) for x in betas):
            kinds = " and ".join(type(x).__name__ for x in betas)
            raise ValueError(f"{name}: betas must be either both floats or both Tensors, got {kinds}")
        check_variants(name, foreach, fused, differentiable)
        super().__init__(params, {
            "lr": lr, "betas": tuple(betas), "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
        })  # fmt: skip

    _rule = adam_update

    def _row(self, param: Any, grad: Any, group: dict[str, Any]) -> list[Any]:
        state = self.state[param]
        if not state:
            state["step"] = new_count(param)
            state["exp_avg"] = zeros_like(param)
            state["exp_avg_sq"] = zeros_like(param)
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = zeros_like(param)
        return [
            param, grad, state["exp_avg"], state["exp_avg_sq"], counted(state, param),
            state["max_exp_avg_sq"] if group["amsgrad"] else None, learning_rate(group)[1],
        ]  # fmt: skip

    def _attributes(self, group: dict[str, Any]) -> dict[str, Any]:
        beta1, beta2 = group["betas"]
        return {
            "lr": learning_rate(group)[0], "beta1": float(beta1), "beta2": float(beta2), "eps": group["eps"],
            "weight_decay": group["weight_decay"], "decoupled_weight_decay": group["decoupled_weight_decay"],
            "maximize": group["maximize"],
        }  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            # Saved by a PyTorch that had no such setting.
            group.setdefault("decoupled_weight_decay", isinstance(self, AdamW))


class AdamW(Adam):
    """`Adam` with weight decay applied to the parameter, not to the gradient (Loshchilov and Hutter 2017).

    Raises:
        ValueError: for a setting out of range.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.Parameter(tc.tensor([1.0]))
        >>> optimizer = tc.optim.AdamW([w], lr=0.5, weight_decay=0.2)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.4000])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 1e-2,
        amsgrad: bool = False, *, maximize: bool = False, foreach: bool | None = None, capturable: bool = False,
        differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )  # fmt: skip
