"""Adam and AdamW."""

from __future__ import annotations

from typing import Any

from tensorcore.ops.creation import zeros_like
from tensorcore.ops.optimizer import adam_update, apply_update
from tensorcore.optim.optimizer import (
    Optimizer,
    check_settings,
    check_variants,
    counted,
    learning_rate,
    new_count,
    require_real,
)

__all__ = ["Adam", "AdamW", "check_betas"]


def check_betas(name: str, betas: Any) -> None:
    """Raise ValueError unless both betas are in [0, 1)."""
    for index, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"{name}: Invalid beta parameter at index {index}: {beta}")


class Adam(Optimizer):
    """Adam: steps scaled by running moments of the gradients (Kingma and Ba 2014).

    ``amsgrad`` divides by the largest second moment so far (Reddi et al. 2018); ``decoupled_weight_decay`` makes it
    `AdamW`. ``foreach``, ``fused`` and ``capturable`` are accepted and have no effect: the backend chooses its own
    kernel, and every step can be recorded.

    Raises:
        ValueError: for a setting out of range.
        DTypeError: for a complex parameter, in the first step.

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
        check_settings(name, lr=(lr, lr >= 0), epsilon=(eps, eps >= 0), weight_decay=(weight_decay, weight_decay >= 0))
        check_betas(name, betas)
        check_variants(name, foreach, fused, differentiable)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
        })  # fmt: skip

    def _update(self, param: Any, grad: Any, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            require_real(type(self).__name__, param)
            state["step"] = new_count(param)
            state["exp_avg"] = zeros_like(param)
            state["exp_avg_sq"] = zeros_like(param)
            if group["amsgrad"]:
                state["max_exp_avg_sq"] = zeros_like(param)
        step = counted(state, param)
        largest = state["max_exp_avg_sq"] if group["amsgrad"] else None
        targets = [param, state["exp_avg"], state["exp_avg_sq"]]
        if largest is not None:
            targets.append(largest)
        lr, rate = learning_rate(group)
        beta1, beta2 = group["betas"]
        apply_update(
            adam_update, targets, [param, grad, state["exp_avg"], state["exp_avg_sq"], step, largest, rate],
            lr=lr, beta1=float(beta1), beta2=float(beta2), eps=group["eps"], weight_decay=group["weight_decay"],
            decoupled_weight_decay=group["decoupled_weight_decay"], maximize=group["maximize"],
        )  # fmt: skip

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
