"""Steps scaled by the size of past gradients: RMSprop, Adagrad, Adadelta."""

from __future__ import annotations

from typing import Any

from tensorcore.ops.creation import full_like, zeros_like
from tensorcore.ops.optimizer import adadelta_update, adagrad_update, apply_update, rmsprop_update
from tensorcore.optim.optimizer import (
    Optimizer,
    check_settings,
    check_variants,
    counted,
    learning_rate,
    new_count,
    require_real,
)

__all__ = ["Adadelta", "Adagrad", "RMSprop"]


class RMSprop(Optimizer):
    """A step over the root of the mean square of recent gradients (Tieleman and Hinton 2012).

    Raises:
        ValueError: for a setting out of range.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.Parameter(tc.tensor([1.0]))
        >>> optimizer = tc.optim.RMSprop([w], lr=0.05)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.5000])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
        momentum: float = 0, centered: bool = False, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_settings(
            "RMSprop", lr=(lr, lr >= 0), epsilon=(eps, eps >= 0), momentum=(momentum, momentum >= 0),
            weight_decay=(weight_decay, weight_decay >= 0), alpha=(alpha, alpha >= 0),
        )  # fmt: skip
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable,
        })  # fmt: skip

    def _update(self, param: Any, grad: Any, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            require_real("RMSprop", param)
            state["step"] = new_count(param)
            state["square_avg"] = zeros_like(param)
            if group["momentum"] > 0:
                state["momentum_buffer"] = zeros_like(param)
            if group["centered"]:
                state["grad_avg"] = zeros_like(param)
        counted(state, param)
        square_avg = state["square_avg"]
        buffer = state["momentum_buffer"] if group["momentum"] > 0 else None
        grad_avg = state["grad_avg"] if group["centered"] else None
        lr, rate = learning_rate(group)
        apply_update(
            rmsprop_update, [x for x in (param, square_avg, buffer, grad_avg) if x is not None],
            [param, grad, square_avg, buffer, grad_avg, rate], lr=lr, alpha=group["alpha"], eps=group["eps"],
            weight_decay=group["weight_decay"], momentum=group["momentum"], maximize=group["maximize"],
        )  # fmt: skip


class Adagrad(Optimizer):
    """A step over the root of the sum of all squared gradients (Duchi et al. 2011).

    Raises:
        ValueError: for a setting out of range.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.Parameter(tc.tensor([1.0]))
        >>> optimizer = tc.optim.Adagrad([w], lr=0.5)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.5000])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *,
        maximize: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        start = initial_accumulator_value
        check_settings(
            "Adagrad", lr=(lr, lr >= 0), lr_decay=(lr_decay, lr_decay >= 0), epsilon=(eps, eps >= 0),
            weight_decay=(weight_decay, weight_decay >= 0), initial_accumulator_value=(start, start >= 0),
        )  # fmt: skip
        check_variants("Adagrad", foreach, fused, differentiable)
        super().__init__(params, {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": start, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        })  # fmt: skip

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(param_group)
        # PyTorch's Adagrad has its state from the start, and programs move it about before the first step.
        group = self.param_groups[-1]
        for param in group["params"]:
            require_real("Adagrad", param)
            self.state[param] = {
                "step": new_count(param),
                "sum": full_like(param, group["initial_accumulator_value"]),
            }

    def _update(self, param: Any, grad: Any, group: dict[str, Any]) -> None:
        state = self.state[param]
        step = counted(state, param)
        if grad._kind.sparse:
            self._sparse_update(param, grad, state, group)
            return
        lr, rate = learning_rate(group)
        apply_update(
            adagrad_update, [param, state["sum"]], [param, grad, state["sum"], step, rate], lr=lr,
            lr_decay=group["lr_decay"], weight_decay=group["weight_decay"], eps=group["eps"],
            maximize=group["maximize"],
        )  # fmt: skip

    _takes_sparse = True

    def _sparse_update(self, param: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        from tensorcore.sparse.embedding import at_places

        if group["weight_decay"] != 0:
            raise RuntimeError("Adagrad: weight_decay reaches every element and does not go with sparse gradients")
        totals, places, values = at_places(state["sum"], -grad if group["maximize"] else grad)
        totals.index_add_(0, places, values * values)
        root = totals.index_select(0, places).sqrt() + group["eps"]
        lr = group["lr"] / (1 + (state["step"].item() - 1) * group["lr_decay"])
        at_places(param, grad)[0].index_add_(0, places, values / root * -lr)


class Adadelta(Optimizer):
    """A step scaled by the ratio of recent steps to recent gradients (Zeiler 2012).

    Raises:
        ValueError: for a setting out of range.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.Parameter(tc.tensor([1.0]))
        >>> optimizer = tc.optim.Adadelta([w])
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.9968])
    """

    def __init__(
        self, params: Any, lr: Any = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0,
        foreach: bool | None = None, *, capturable: bool = False, maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_settings(
            "Adadelta", lr=(lr, lr >= 0), rho=(rho, 0 <= rho <= 1), epsilon=(eps, eps >= 0),
            weight_decay=(weight_decay, weight_decay >= 0),
        )  # fmt: skip
        super().__init__(params, {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        })  # fmt: skip

    def _update(self, param: Any, grad: Any, group: dict[str, Any]) -> None:
        state = self.state[param]
        if not state:
            require_real("Adadelta", param)
            state["step"] = new_count(param)
            state["square_avg"] = zeros_like(param)
            state["acc_delta"] = zeros_like(param)
        counted(state, param)
        lr, rate = learning_rate(group)
        apply_update(
            adadelta_update, [param, state["square_avg"], state["acc_delta"]],
            [param, grad, state["square_avg"], state["acc_delta"], rate], lr=lr, rho=group["rho"], eps=group["eps"],
            weight_decay=group["weight_decay"], maximize=group["maximize"],
        )  # fmt: skip
