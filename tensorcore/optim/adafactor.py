"""Adafactor."""

from __future__ import annotations

from typing import Any

from tensorcore.ops.creation import zeros
from tensorcore.ops.matrix_updates import adafactor_update
from tensorcore.optim.optimizer import Optimizer
from tensorcore.optim.settings import check_rate, check_settings, counted, learning_rate, new_count, require_real

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Steps over the root of a second moment kept as means of rows and columns (Shazeer and Stern 2018).

    The state of a matrix is as large as its sides, not as the matrix. ``lr`` is the most that a step moves relative to
    the size of the parameter, and the factor of the decoupled ``weight_decay``; ``eps`` holds the least second moment
    (None: the dtype's epsilon) and the least size of a parameter; a step of a root mean square above ``d`` is
    shortened. ``foreach`` is accepted and has no effect.

    Raises:
        ValueError: for a setting out of range.
        RuntimeError: in a step, for a complex parameter or a sparse gradient.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.Parameter(tc.ones(2, 2))
        >>> optimizer = tc.optim.Adafactor([w], lr=0.25)
        >>> w.sum().backward()
        >>> optimizer.step()
        >>> w.data
        tensor([[0.7500, 0.7500],
                [0.7500, 0.7500]])
    """

    _rule = adafactor_update

    def __init__(
        self, params: Any, lr: Any = 1e-2, beta2_decay: float = -0.8, eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0, weight_decay: float = 0.0, *, foreach: bool | None = None, maximize: bool = False,
    ) -> None:  # fmt: skip
        check_rate("Adafactor", lr)
        check_settings(
            "Adafactor", beta2_decay=(beta2_decay, beta2_decay <= 0), epsilon1=(eps[0], eps[0] is None or eps[0] >= 0),
            epsilon2=(eps[1], eps[1] >= 0), d=(d, d >= 1), weight_decay=(weight_decay, weight_decay >= 0),
        )  # fmt: skip
        super().__init__(params, {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize,
        })  # fmt: skip

    def _row(self, param: Any, grad: Any, group: dict[str, Any]) -> list[Any]:
        state = self.state[param]
        if not state:
            require_real("Adafactor", param)
            state["step"] = new_count(param)
            shape = tuple(param.shape)
            shapes = {"variance": shape}
            if len(shape) > 1:
                shapes = {"row_var": (*shape[:-1], 1), "col_var": (*shape[:-2], 1, shape[-1])}
            for name, each in shapes.items():
                state[name] = zeros(each, dtype=param.dtype, device=param.device)
        names = ("row_var", "col_var", "variance")
        return [param, grad, counted(state, param), *map(state.get, names), learning_rate(group)[1]]

    def _attributes(self, group: dict[str, Any]) -> dict[str, Any]:
        eps1, eps2 = group["eps"]
        names = ("beta2_decay", "d", "weight_decay", "maximize")
        return {"lr": learning_rate(group)[0], "eps1": eps1, "eps2": eps2} | {name: group[name] for name in names}
