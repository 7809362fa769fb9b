"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from tensorcore.ops.creation import zeros_like
from tensorcore.ops.optimizer import apply_update, sgd_update
from tensorcore.optim.optimizer import Optimizer, check_settings, check_variants, learning_rate

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
        check_settings(
            "SGD", lr=(lr, lr >= 0), momentum=(momentum, momentum >= 0), weight_decay=(weight_decay, weight_decay >= 0)
        )
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("SGD: Nesterov momentum requires a momentum and zero dampening")
        check_variants("SGD", foreach, fused, differentiable)
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize, "foreach": foreach, "differentiable": differentiable,
            "fused": fused,
        })  # fmt: skip

    _takes_sparse = True

    def _update(self, param: Any, grad: Any, group: dict[str, Any]) -> None:
        if grad._kind.sparse:
            self._sparse_update(param, grad, group)
            return
        targets = [param]
        buffer = None
        dampening = group["dampening"]
        if group["momentum"] != 0:
            state = self.state[param]
            buffer = state.get("momentum_buffer")
            if buffer is None:
                # PyTorch's buffer starts as the first gradient: from zero, the gradient added without dampening.
                buffer = state["momentum_buffer"] = zeros_like(param)
                dampening = 0
            targets.append(buffer)
        lr, rate = learning_rate(group)
        apply_update(
            sgd_update, targets, [param, grad, buffer, rate], lr=lr, momentum=group["momentum"], dampening=dampening,
            weight_decay=group["weight_decay"], nesterov=group["nesterov"], maximize=group["maximize"],
        )  # fmt: skip

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
