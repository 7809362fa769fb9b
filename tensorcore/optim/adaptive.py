"""Steps scaled by the size of past gradients: RMSprop, Adagrad, Adadelta."""

from __future__ import annotations

from typing import Any

from tensorcore.ops.creation import full_like, zeros_like
from tensorcore.ops.optimizer import adadelta_update, adagrad_update, rmsprop_update
from tensorcore.optim.optimizer import Optimizer
from tensorcore.optim.settings import (
    check_rate,
    check_settings,
    check_variants,
    counted,
    learning_rate,
    new_count,
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
        check_rate("RMSprop", lr)
        check_settings(
            "RMSprop", epsilon=(eps, eps >= 0), momentum=(momentum, momentum >= 0),
            weight_decay=(weight_decay, weight_decay >= 0), alpha=(alpha, alpha >= 0),
        )  # fmt: skip
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable,
        })  # fmt: skip

    _rule = rmsprop_update

    def _row(self, param: Any, grad: Any, group: dict[str, Any]) -> list[Any]:
        state = self.state[param]
        if not state:
            state["step"] = new_count(param)
            state["square_avg"] = zeros_like(param)
            if group["momentum"] > 0:
                state["momentum_buffer"] = zeros_like(param)
            if group["centered"]:
                state["grad_avg"] = zeros_like(param)
        counted(state, param)
        return [
            param, grad, state["square_avg"], state["momentum_buffer"] if group["momentum"] > 0 else None,
            state["grad_avg"] if group["centered"] else None, learning_rate(group)[1],
        ]  # fmt: skip

    def _attributes(self, group: dict[str, Any]) -> dict[str, Any]:
        names = ("alpha", "eps", "weight_decay", "momentum", "maximize")
        return {"lr": learning_rate(group)[0]} | {name: group[name] for name in names}


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
        check_rate("Adagrad", lr)
        check_settings(
            "Adagrad", lr_decay=(lr_decay, lr_decay >= 0), epsilon=(eps, eps >= 0),
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
        start = group["initial_accumulator_value"]
        for param in group["params"]:
            self.state[param] = {
                "step": new_count(param),
                "sum": full_like(param, complex(start, start) if param.is_complex() else start),
            }

    def share_memory(self) -> None:
        """Call ``share_memory_`` of the sums, as `Module.share_memory` does of parameters."""
        for group in self.param_groups:
            for param in group["params"]:
                self.state[param]["sum"].share_memory_()

    _rule = adagrad_update
    _takes_sparse = True

    def _row(self, param: Any, grad: Any, group: dict[str, Any]) -> list[Any] | None:
        state = self.state[param]
        step = counted(state, param)
        if grad._kind.sparse:
            self._sparse_update(param, grad, state, group)
            return None
        return [param, grad, state["sum"], step, learning_rate(group)[1]]

    def _attributes(self, group: dict[str, Any]) -> dict[str, Any]:
        names = ("lr_decay", "weight_decay", "eps", "maximize")
        return {"lr": learning_rate(group)[0]} | {name: group[name] for name in names}

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
        check_rate("Adadelta", lr)
        check_settings(
            "Adadelta", rho=(rho, 0 <= rho <= 1), epsilon=(eps, eps >= 0),
            weight_decay=(weight_decay, weight_decay >= 0),
        )  # fmt: skip
        super().__init__(params, {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        })  # fmt: skip

    _rule = adadelta_update

    def _row(self, param: Any, grad: Any, group: dict[str, Any]) -> list[Any]:
        state = self.state[param]
        if not state:
            state["step"] = new_count(param)
            state["square_avg"] = zeros_like(param)
            state["acc_delta"] = zeros_like(param)
        counted(state, param)
        return [param, grad, state["square_avg"], state["acc_delta"], learning_rate(group)[1]]

    def _attributes(self, group: dict[str, Any]) -> dict[str, Any]:
        return {"lr": learning_rate(group)[0]} | {
            name: group[name] for name in ("rho", "eps", "weight_decay", "maximize")
        }
