"""Muon."""

from __future__ import annotations

from typing import Any

from tensorcore.dtypes import bfloat16
from tensorcore.ops.creation import zeros_like
from tensorcore.ops.matrix_updates import muon_update
from tensorcore.optim.optimizer import Optimizer
from tensorcore.optim.settings import check_rate, check_settings, learning_rate, require_real

__all__ = ["Muon"]

_ADJUSTMENTS = (None, "original", "match_rms_adamw")


class Muon(Optimizer):
    """Steps along the momentum of a matrix with its singular values brought near 1 (Jordan et al. 2024).

    It is made for the matrices of hidden layers; the other parameters (embeddings, biases, heads) go to an optimizer
    such as `AdamW`. ``adjust_lr_fn`` says how the step depends on the shape: ``"original"`` (or None) multiplies by the
    root of rows over columns, if more than 1; ``"match_rms_adamw"`` gives steps the size of AdamW's (Liu et al. 2025).
    The iteration runs in bfloat16, as PyTorch's, where the device has it.

    Raises:
        ValueError: for a setting out of range, or a parameter that is no matrix.
        RuntimeError: in a step, for a complex parameter or a sparse gradient.

    Example:
        >>> import tensorcore as tc
        >>> w = tc.nn.Parameter(tc.eye(2))
        >>> optimizer = tc.optim.Muon([w], lr=0.5, weight_decay=0.0)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> bool(w[0, 0] < 0.75), w[0, 1].item()
        (True, 0.0)
    """

    _rule = muon_update

    def __init__(
        self, params: Any, lr: float = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95, nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315), eps: float = 1e-7, ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:  # fmt: skip
        check_rate("Muon", lr)
        check_settings("Muon", momentum=(momentum, momentum >= 0), weight_decay=(weight_decay, weight_decay >= 0))
        if ns_steps >= 100:
            raise ValueError(f"Muon: ns_steps must be less than 100, got {ns_steps}")
        if len(ns_coefficients) != 3:
            raise ValueError(f"Muon: ns_coefficients must be a tuple of exactly 3 values, got {ns_coefficients}")
        if adjust_lr_fn not in _ADJUSTMENTS:
            known = ", ".join(map(repr, _ADJUSTMENTS))
            raise ValueError(f"Muon: adjust_lr_fn must be one of {known}, got {adjust_lr_fn!r}")
        super().__init__(params, {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn,
        })  # fmt: skip

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        super().add_param_group(param_group)
        names = self.param_groups[-1].get("param_names")
        for place, param in enumerate(self.param_groups[-1]["params"]):
            if param.ndim != 2:
                self.param_groups.pop()
                which = repr(names[place]) if names else "one"
                raise ValueError(
                    f"Muon only supports 2D parameters, got {which} of shape {list(param.shape)}; "
                    "give the others to an optimizer such as AdamW"
                )

    def _row(self, param: Any, grad: Any, group: dict[str, Any]) -> list[Any]:
        state = self.state[param]
        if "momentum_buffer" not in state:
            require_real("Muon", param)
            state["momentum_buffer"] = zeros_like(param)
        return [param, grad, state["momentum_buffer"], learning_rate(group)[1]]

    def _attributes(self, group: dict[str, Any]) -> dict[str, Any]:
        names = ("weight_decay", "momentum", "nesterov", "ns_coefficients", "eps", "ns_steps", "adjust_lr_fn")
        return {"lr": learning_rate(group)[0], "dtype": bfloat16} | {name: group[name] for name in names}
