"""Older rules: averaged gradient descent and resilient propagation."""

from __future__ import annotations

from typing import Any

from tensorcore.ops.creation import full_like, zeros_like
from tensorcore.ops.optimizer import apply_update, asgd_update, rprop_update
from tensorcore.optim.optimizer import (
    Optimizer,
    check_settings,
    counted,
    learning_rate,
    new_count,
    require_real,
)
from tensorcore.tensor import Tensor

__all__ = ["ASGD", "Rprop"]


class ASGD(Optimizer):
    """Gradient descent with a decaying rate; ``state[p]["ax"]`` averages the parameter (Polyak and Juditsky 1992).

    Raises:
        ValueError: for a setting out of range.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.Parameter(tc.tensor([1.0]))
        >>> optimizer = tc.optim.ASGD([w], lr=0.5, lambd=0.0)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.5000])
    """

    _float32_state = ("step", "eta", "mu")

    def __init__(
        self, params: Any, lr: Any = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
        weight_decay: float = 0, foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:  # fmt: skip
        check_settings("ASGD", lr=(lr, lr >= 0), weight_decay=(weight_decay, weight_decay >= 0))
        super().__init__(params, {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def _update(self, param: Any, grad: Any, group: dict[str, Any]) -> None:
        state = self.state[param]
        number, rate = learning_rate(group)
        lr = number if rate is None else rate
        if not state:
            require_real("ASGD", param)
            state["step"] = new_count(param)
            state["eta"] = new_count(param, float(lr))
            state["mu"] = new_count(param, 1.0)
            state["ax"] = zeros_like(param)
        step = counted(state, param)
        apply_update(
            asgd_update, [param, state["ax"]], [param, grad, state["ax"], state["eta"], state["mu"]],
            lambd=group["lambd"], weight_decay=group["weight_decay"], maximize=group["maximize"],
        )  # fmt: skip
        state["eta"].copy_(lr / (1 + step * (group["lambd"] * lr)).pow(group["alpha"]))
        state["mu"].copy_(1 / (step - group["t0"]).clamp(min=1.0))


class Rprop(Optimizer):
    """Resilient propagation: steps by the signs of full-batch gradients alone (Riedmiller and Braun 1993).

    Raises:
        ValueError: for a setting out of range.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.Parameter(tc.tensor([1.0]))
        >>> optimizer = tc.optim.Rprop([w], lr=0.5)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.5000])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, etas: Any = (0.5, 1.2), step_sizes: Any = (1e-6, 50), *,
        capturable: bool = False, foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_settings("Rprop", lr=(lr, lr >= 0), eta=(etas, 0.0 < etas[0] < 1.0 < etas[1]))
        super().__init__(params, {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def _update(self, param: Any, grad: Any, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            require_real("Rprop", param)
            lr = group["lr"]
            state["step"] = new_count(param)
            state["prev"] = zeros_like(param)
            state["step_size"] = full_like(param, lr.item() if isinstance(lr, Tensor) else lr)
        counted(state, param)
        eta_minus, eta_plus = group["etas"]
        least, most = group["step_sizes"]
        apply_update(
            rprop_update, [param, state["prev"], state["step_size"]],
            [param, grad, state["prev"], state["step_size"]], eta_minus=eta_minus, eta_plus=eta_plus,
            step_size_min=least, step_size_max=most, maximize=group["maximize"],
        )  # fmt: skip
