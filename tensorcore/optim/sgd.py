"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from tensorcore.ops.creation import zeros_like
from tensorcore.ops.optimizer import sgd_update
from tensorcore.optim.optimizer import Optimizer
from tensorcore.optim.settings import check_rate, check_settings, check_variants, learning_rate
from tensorcore.optim.updates import apply_updates
from tensorcore.tensor import Tensor

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, Nesterov momentum and weight decay (Sutskever et al. 2013).

    ``foreach`` and ``fused`` are accepted and have no effect: the backend chooses its own kernel.

    Raises:
        ValueError: for a setting out of range, or Nesterov momentum without momentum or with dampening.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.Parameter(tc.tensor([1.0, 2.0]))
        >>> optimizer = tc.optim.SGD([w], lr=0.5)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([0.5000, 1.5000])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: float = 0,
        nesterov: bool = False, *, maximize: bool = False, foreach: bool | None = None,
        differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        check_rate("SGD", lr)
        check_settings("SGD", momentum=(momentum, momentum >= 0), weight_decay=(weight_decay, weight_decay >= 0))
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("SGD: Nesterov momentum requires a momentum and zero dampening")
        check_variants("SGD", foreach, fused, differentiable)
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize, "foreach": foreach, "differentiable": differentiable,
            "fused": fused,
        })  # fmt: skip

    _takes_sparse = True

    _rule = sgd_update

    def _row(self, param: Any, grad: Any, group: dict[str, Any]) -> list[Any] | None:
        if grad._kind.sparse:
            self._sparse_update(param, grad, group)
            return None
        lr = group["lr"]
        rate = learning_rate(group)[1] if isinstance(lr, Tensor) else None
        if group["momentum"] == 0:
            return [param, grad, None, rate]
        state = self.state[param]
        buffer = state.get("momentum_buffer")
        if buffer is not None:
            return [param, grad, buffer, rate]
        # PyTorch's buffer starts as the first gradient: from zero, the gradient added without dampening.
        row = [param, grad, zeros_like(param), rate]
        state["momentum_buffer"] = row[2]
        if group["dampening"] == 0:
            return row
        apply_updates(sgd_update, [row], self._attributes(group) | {"dampening": 0})
        return None

    def _attributes(self, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "lr": learning_rate(group)[0], "momentum": group["momentum"], "dampening": group["dampening"],
            "weight_decay": group["weight_decay"], "nesterov": group["nesterov"], "maximize": group["maximize"],
        }  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            # PyTorch's states hold None where a parameter has had no step with momentum.
            for param in group["params"]:
                if self.state.get(param, {}).get("momentum_buffer", param) is None:
                    del self.state[param]["momentum_buffer"]

    def _sparse_update(self, param: Any, grad: Any, group: dict[str, Any]) -> None:
        from tensorcore.sparse.embedding import add_into

        if group["weight_decay"] != 0:
            raise RuntimeError("SGD: weight_decay reaches every element and does not go with sparse gradients")
        if group["maximize"]:
            grad = -grad
        if group["momentum"] != 0:
            state = self.state[param]
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = grad.clone()
            else:
                buffer = (buffer * group["momentum"] + grad * (1 - group["dampening"])).coalesce()
            state["momentum_buffer"] = buffer
            grad = grad + buffer * group["momentum"] if group["nesterov"] else buffer
        add_into(param, grad, -group["lr"])
