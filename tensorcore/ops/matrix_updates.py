"""Update rules of optimizers that treat a parameter as a matrix: Adafactor and Muon.

Operands, results and numbers are those of the rules in `tensorcore.ops.optimizer`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import DType, finfo, float32
from tensorcore.ops import elementwise as e
from tensorcore.ops.optimizer import _count
from tensorcore.ops.record import composite
from tensorcore.ops.rules import real_floating

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

__all__ = ["adafactor_update", "muon_update"]


@composite(
    rule=real_floating, outputs=4, promotes=("param", "grad", "row_var", "col_var", "variance"), namespaces=(), ulp=32,
    samples=(
        {"shapes": ((3, 4), (3, 4), (), (3, 1), (1, 4)), "domains": (None, None, (1, 20), (0.01, 1), (0.01, 1)),
         "lr": 0.1, "weight_decay": 0.1},
        {"shapes": ((2, 3, 4), (2, 3, 4), (), (2, 3, 1), (2, 1, 4)),
         "domains": (None, None, (1, 20), (0.01, 1), (0.01, 1)), "lr": 0.1, "maximize": True, "eps1": 1e-3},
    ),
)  # fmt: skip
def adafactor_update(
    param: Tensor, grad: Tensor, step: Tensor, row_var: Tensor | None = None, col_var: Tensor | None = None,
    variance: Tensor | None = None, rate: Tensor | None = None, *,
    lr: float, beta2_decay: float = -0.8, eps1: float | None = None, eps2: float = 1e-3, d: float = 1.0,
    weight_decay: float = 0.0, maximize: bool = False,
) -> tuple[Tensor, ...]:  # fmt: skip
    """A step over the root of a second moment kept as means of rows and columns (Shazeer and Stern 2018).

    Vectors and numbers have their full ``variance`` in place of ``row_var`` and ``col_var``.
    """
    return adafactor_update.emit(
        param, grad, step, row_var, col_var, variance, rate, lr=lr, beta2_decay=beta2_decay, eps1=eps1, eps2=eps2, d=d,
        weight_decay=weight_decay, maximize=maximize,
    )  # fmt: skip


@adafactor_update.expression
def _adafactor_update(
    param: Any, grad: Any, step: Any, row_var: Any, col_var: Any, variance: Any, rate: Any, *,
    lr: Any, beta2_decay: float, eps1: float | None, eps2: float, d: float, weight_decay: float, maximize: bool,
) -> tuple[Any, ...]:  # fmt: skip
    lr = lr if rate is None else rate
    eps1 = float(finfo(param.dtype).eps) if eps1 is None else eps1
    step = _count(step)
    grad = -grad if maximize else grad
    fresh = step**beta2_decay
    speed = (step**-0.5).clamp(max=lr) if rate is None else e.minimum(step**-0.5, rate.to(step.dtype))
    speed = _root_mean_square(param).to(step.dtype).clamp(min=eps2) * speed
    if weight_decay:
        param = param * (1 - lr * weight_decay)
    squares = grad * grad
    if variance is None:
        row_var = row_var + (squares.mean(-1, True) - row_var) * fresh
        col_var = col_var + (squares.mean(-2, True) - col_var) * fresh
        spread = row_var * col_var / row_var.mean(-2, True).clamp(min=eps1)
        state: tuple[Any, ...] = (row_var, col_var)
    else:
        spread = variance + (squares - variance) * fresh
        state = (spread,)
    move = grad / e.sqrt(spread.clamp(min=eps1 * eps1))
    speed = speed / (_root_mean_square(move).to(step.dtype) / d).clamp(min=1.0)
    return param - move * speed, *state


def _root_mean_square(x: Any) -> Any:
    return e.sqrt((x * x).mean())


@composite(
    rule=real_floating, outputs=2, promotes=("param", "grad", "momentum_buffer"), namespaces=(),
    # The polynomial has a slope of 3.4 at 0, so that five steps make 480 units of one.
    ulp=4096,
    samples=(
        {"shapes": ((3, 4), (3, 4), (3, 4)), "lr": 0.1},
        {"shapes": ((4, 2), (4, 2), (4, 2)), "lr": 0.1, "nesterov": False, "adjust_lr_fn": "match_rms_adamw"},
    ),
)  # fmt: skip
def muon_update(
    param: Tensor, grad: Tensor, momentum_buffer: Tensor, rate: Tensor | None = None, *,
    lr: float, weight_decay: float = 0.1, momentum: float = 0.95, nesterov: bool = True,
    ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315), eps: float = 1e-7, ns_steps: int = 5,
    adjust_lr_fn: str | None = None, dtype: DType | None = None,
) -> tuple[Tensor, ...]:  # fmt: skip
    """A step along the momentum of a matrix with its singular values brought near 1 (Jordan et al. 2024).

    They are brought there by ``ns_steps`` of a Newton-Schulz iteration with a polynomial of degree 5. Its
    matrices are rounded to ``dtype``, where the device has it; by default they are not.
    """
    return muon_update.emit(
        param, grad, momentum_buffer, rate, lr=lr, weight_decay=weight_decay, momentum=momentum, nesterov=nesterov,
        ns_coefficients=ns_coefficients, eps=eps, ns_steps=ns_steps, adjust_lr_fn=adjust_lr_fn,
        dtype=dtype,
    )  # fmt: skip


@muon_update.expression
def _muon_update(
    param: Any, grad: Any, momentum_buffer: Any, rate: Any, *,
    lr: Any, weight_decay: float, momentum: float, nesterov: bool, ns_coefficients: tuple[float, float, float],
    eps: float, ns_steps: int, adjust_lr_fn: str | None, dtype: DType | None,
) -> tuple[Any, ...]:  # fmt: skip
    lr = lr if rate is None else rate
    momentum_buffer = momentum_buffer + (grad - momentum_buffer) * (1 - momentum)
    update = grad + (momentum_buffer - grad) * momentum if nesterov else momentum_buffer
    update = _orthogonal(update, ns_coefficients, ns_steps, eps, dtype).to(param.dtype)
    rows, columns = param.shape
    if adjust_lr_fn == "match_rms_adamw":
        ratio = 0.2 * math.sqrt(max(rows, columns))
    else:
        ratio = math.sqrt(max(1.0, rows / max(columns, 1)))
    return param * (1 - lr * weight_decay) - update * (lr * ratio), momentum_buffer


def _orthogonal(x: Any, coefficients: tuple[float, float, float], steps: int, eps: float, dtype: DType | None) -> Any:
    """``x`` with its singular values near 1, by Newton-Schulz iteration (Bernstein and Newhouse 2024).

    Each matrix is rounded to ``dtype`` once, as products of such matrices with wide accumulators are.
    """
    a, b, c = coefficients
    rounds = dtype in x.device.capabilities.dtypes

    def rounded(matrix: Any) -> Any:
        return matrix.to(dtype).to(float32) if rounds else matrix

    tall = x.shape[0] > x.shape[1]
    x = rounded(x.t() if tall else x)
    x = rounded(x / rounded(e.sqrt((x * x).sum())).clamp(min=eps))
    for _ in range(steps):
        gram = rounded(x @ x.t())
        x = rounded(rounded(gram * b + gram @ gram * c) @ x + x * a)
    return x.t() if tall else x
