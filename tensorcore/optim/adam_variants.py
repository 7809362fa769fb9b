"""Variants of Adam: Adamax, NAdam, RAdam."""

from __future__ import annotations

from typing import Any

from tensorcore.ops.creation import zeros_like
from tensorcore.ops.optimizer import adamax_update, nadam_momentum, nadam_update, radam_update
from tensorcore.optim.optimizer import Optimizer
from tensorcore.optim.settings import (
    check_betas,
    check_rate,
    check_settings,
    counted,
    learning_rate,
    new_count,
    renew,
)

__all__ = ["Adamax", "NAdam", "RAdam"]


class _Moments(Optimizer):
    """What the variants share: checks and state."""

    _second = "exp_avg_sq"
    #: Further settings that are attributes of the rule.
    _more: tuple[str, ...] = ()

    def _check_moments(self, lr: Any, betas: Any, eps: float, weight_decay: float) -> None:
        name = type(self).__name__
        check_rate(name, lr)
        check_settings(name, epsilon=(eps, eps >= 0), weight_decay=(weight_decay, weight_decay >= 0))
        check_betas(name, betas)

    def _row(self, param: Any, grad: Any, group: dict[str, Any]) -> list[Any]:
        state = self.state[param]
        if not state:
            state["step"] = new_count(param)
            self._begin(param, state)
            state["exp_avg"] = zeros_like(param)
            state[self._second] = zeros_like(param)
        step = counted(state, param)
        numbers = [step, *self._advance(state, step, group), learning_rate(group)[1]]
        return [param, grad, state["exp_avg"], state[self._second], *numbers]

    def _begin(self, param: Any, state: dict[str, Any]) -> None:
        """Add what a variant keeps besides."""

    def _advance(self, state: dict[str, Any], step: Any, group: dict[str, Any]) -> list[Any]:
        """The numbers of the state that a variant uses besides, brought to this step."""
        return []

    def _attributes(self, group: dict[str, Any]) -> dict[str, Any]:
        beta1, beta2 = group["betas"]
        attributes = {
            "lr": learning_rate(group)[0], "beta1": float(beta1), "beta2": float(beta2), "eps": group["eps"],
            "weight_decay": group["weight_decay"], "maximize": group["maximize"],
        }  # fmt: skip
        return attributes | {name: group[name] for name in self._more}


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

    _rule = adamax_update
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

    _rule = nadam_update
    _more = ("momentum_decay", "decoupled_weight_decay")
    _counts = ("step", "mu_product")

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

    def _advance(self, state: dict[str, Any], step: Any, group: dict[str, Any]) -> list[Any]:
        beta1, decay = float(group["betas"][0]), group["momentum_decay"]
        product = state["mu_product"]
        renew(product, lambda product, step: product * nadam_momentum(step, beta1, decay), product, step)
        return [product]


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

    _rule = radam_update
    _more = ("decoupled_weight_decay",)

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
