"""Variants of Adam: Adamax, NAdam, RAdam."""

from __future__ import annotations

from typing import Any

from tensorcore.ops.creation import zeros_like
from tensorcore.ops.optimizer import adamax_update, apply_update, nadam_momentum, nadam_update, radam_update
from tensorcore.optim.adam import check_betas
from tensorcore.optim.optimizer import (
    Optimizer,
    check_settings,
    counted,
    learning_rate,
    new_count,
    require_real,
)

__all__ = ["Adamax", "NAdam", "RAdam"]


class _Moments(Optimizer):
    """What the variants share: checks and state."""

    _second = "exp_avg_sq"

    def _check_moments(self, lr: Any, betas: Any, eps: float, weight_decay: float) -> None:
        name = type(self).__name__
        check_settings(name, lr=(lr, lr >= 0), epsilon=(eps, eps >= 0), weight_decay=(weight_decay, weight_decay >= 0))
        check_betas(name, betas)

    def _state_of(self, param: Any) -> dict[str, Any]:
        state = self.state[param]
        if not state:
            require_real(type(self).__name__, param)
            state["step"] = new_count(param)
            self._begin(param, state)
            state["exp_avg"] = zeros_like(param)
            state[self._second] = zeros_like(param)
        return state

    def _begin(self, param: Any, state: dict[str, Any]) -> None:
        """Add what a variant keeps besides."""


def _common(group: dict[str, Any]) -> dict[str, Any]:
    beta1, beta2 = group["betas"]
    return {
        "lr": learning_rate(group)[0], "beta1": float(beta1), "beta2": float(beta2), "eps": group["eps"],
        "weight_decay": group["weight_decay"], "maximize": group["maximize"],
    }  # fmt: skip


class Adamax(_Moments):
    """Adam with the largest recent gradient in place of the second moment (Kingma and Ba 2014).

    Raises:
        ValueError: for a setting out of range.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.Parameter(tc.tensor([1.0]))
        >>> optimizer = tc.optim.Adamax([w], lr=0.5)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.5000])
    """

    _second = "exp_inf"

    def __init__(
        self, params: Any, lr: Any = 2e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0,
        foreach: bool | None = None, *, maximize: bool = False, differentiable: bool = False, capturable: bool = False,
    ) -> None:  # fmt: skip
        self._check_moments(lr, betas, eps, weight_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip

    def _update(self, param: Any, grad: Any, group: dict[str, Any]) -> None:
        state = self._state_of(param)
        step = counted(state, param)
        apply_update(
            adamax_update, [param, state["exp_avg"], state["exp_inf"]],
            [param, grad, state["exp_avg"], state["exp_inf"], step, learning_rate(group)[1]], **_common(group),
        )  # fmt: skip


class NAdam(_Moments):
    """Adam with Nesterov momentum (Dozat 2016).

    Raises:
        ValueError: for a setting out of range.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.Parameter(tc.tensor([1.0]))
        >>> optimizer = tc.optim.NAdam([w], lr=0.5)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> bool(w < 1)
        True
    """

    _float32_state = ("step", "mu_product")

    def __init__(
        self, params: Any, lr: Any = 2e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0,
        momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        self._check_moments(lr, betas, eps, weight_decay)
        check_settings("NAdam", momentum_decay=(momentum_decay, momentum_decay >= 0))
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        })  # fmt: skip

    def _begin(self, param: Any, state: dict[str, Any]) -> None:
        state["mu_product"] = new_count(param, 1.0)

    def _update(self, param: Any, grad: Any, group: dict[str, Any]) -> None:
        state = self._state_of(param)
        step = counted(state, param)
        common = _common(group)
        product = state["mu_product"]
        product.mul_(nadam_momentum(step, common["beta1"], group["momentum_decay"]))
        apply_update(
            nadam_update, [param, state["exp_avg"], state["exp_avg_sq"]],
            [param, grad, state["exp_avg"], state["exp_avg_sq"], step, product, learning_rate(group)[1]],
            momentum_decay=group["momentum_decay"], decoupled_weight_decay=group["decoupled_weight_decay"], **common,
        )  # fmt: skip


class RAdam(_Moments):
    """Adam with the variance of its first steps rectified (Liu et al. 2019).

    Raises:
        ValueError: for a setting out of range.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.Parameter(tc.tensor([1.0]))
        >>> optimizer = tc.optim.RAdam([w], lr=0.5)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.5000])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8, weight_decay: float = 0,
        decoupled_weight_decay: bool = False, *, foreach: bool | None = None, maximize: bool = False,
        capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        self._check_moments(lr, betas, eps, weight_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        })  # fmt: skip

    def _update(self, param: Any, grad: Any, group: dict[str, Any]) -> None:
        state = self._state_of(param)
        step = counted(state, param)
        apply_update(
            radam_update, [param, state["exp_avg"], state["exp_avg_sq"]],
            [param, grad, state["exp_avg"], state["exp_avg_sq"], step, learning_rate(group)[1]],
            decoupled_weight_decay=group["decoupled_weight_decay"], **_common(group),
        )  # fmt: skip
