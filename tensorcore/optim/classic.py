"""Older rules: averaged gradient descent and resilient propagation."""

from __future__ import annotations

from typing import Any

from tensorcore.ops.creation import full_like, zeros_like
from tensorcore.ops.optimizer import asgd_update, rprop_update
from tensorcore.optim.optimizer import Optimizer
from tensorcore.optim.settings import check_rate, check_settings, counted, learning_rate, new_count, renew
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

    _rule = asgd_update
    _counts = ("step", "eta", "mu")

    def __init__(
        self, params: Any, lr: Any = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
        weight_decay: float = 0, foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:  # fmt: skip
        check_rate("ASGD", lr)
        check_settings("ASGD", weight_decay=(weight_decay, weight_decay >= 0))
        super().__init__(params, {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def _row(self, param: Any, grad: Any, group: dict[str, Any]) -> list[Any]:
        state = self.state[param]
        if not state:
            state["step"] = new_count(param)
            state["eta"] = new_count(param, float(group["lr"]))
            state["mu"] = new_count(param, 1.0)
            state["ax"] = zeros_like(param)
        counted(state, param)
        return [param, grad, state["ax"], state["eta"], state["mu"]]

    def _attributes(self, group: dict[str, Any]) -> dict[str, Any]:
        return {name: group[name] for name in ("lambd", "weight_decay", "maximize")}

    def _finish(self, group: dict[str, Any], rows: list[list[Any]]) -> None:
        lambd, alpha, start = group["lambd"], group["alpha"], group["t0"]
        number, rate = learning_rate(group)
        for row in rows:
            state = self.state[row[0]]
            step = state["step"]
            renew(state["eta"], lambda step, lr: lr / (1 + step * (lambd * lr)) ** alpha, step, rate or number)
            renew(state["mu"], lambda step: 1 / _at_least_one(step - start), step)


def _at_least_one(number: Any) -> Any:
    return number.clamp(min=1.0) if isinstance(number, Tensor) else max(1.0, number)


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
        check_rate("Rprop", lr)
        check_settings("Rprop", eta=(etas, 0.0 < etas[0] < 1.0 < etas[1]))
        super().__init__(params, {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    _rule = rprop_update

    def _row(self, param: Any, grad: Any, group: dict[str, Any]) -> list[Any]:
        state = self.state[param]
        if not state:
            lr = float(group["lr"])
            state["step"] = new_count(param)
            state["prev"] = zeros_like(param)
            state["step_size"] = full_like(param, complex(lr, lr) if param.is_complex() else lr)
        counted(state, param)
        return [param, grad, state["prev"], state["step_size"]]

    def _attributes(self, group: dict[str, Any]) -> dict[str, Any]:
        eta_minus, eta_plus = group["etas"]
        least, most = group["step_sizes"]
        return {
            "eta_minus": eta_minus, "eta_plus": eta_plus, "step_size_min": least, "step_size_max": most,
            "maximize": group["maximize"],
        }  # fmt: skip
