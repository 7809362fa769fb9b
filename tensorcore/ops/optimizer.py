"""Update rules of optimizers: one op each, from a parameter, its gradient and its state to their new values.

Every rule returns (new parameter, new state, ...), the state in the order of its operands. ``step`` is a 0-d tensor,
already counted up, so that a recorded program counts on; ``rate`` is a learning rate given as a 0-d tensor, which
takes the place of ``lr``. Formulas and their order of evaluation are PyTorch's.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import float64
from tensorcore.ops import elementwise as e
from tensorcore.ops.record import composite
from tensorcore.ops.rules import floating, real_floating

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

__all__ = [
    "adadelta_update", "adagrad_update", "adam_update", "adamax_update", "asgd_update", "nadam_update", "radam_update",
    "rmsprop_update", "rprop_update", "sgd_update",
]  # fmt: skip


def _count(step: Any) -> Any:
    """``step`` in float64 where the device has it: bias corrections are differences of nearly equal numbers."""
    able = step.device.capabilities.dtypes
    return step.to(float64) if float64 in able else step


def _bias(beta: float, step: Any) -> Any:
    """``1 - beta ** step``, without cancellation for a beta near 1."""
    return -e.expm1(step * math.log(beta)) if beta else 1.0


def _direction(param: Any, grad: Any, weight_decay: float, maximize: bool) -> Any:
    grad = -grad if maximize else grad
    return grad + param * weight_decay if weight_decay else grad


# ------------------------------------------------------------------ stochastic gradient descent


@composite(
    rule=floating, outputs=2, promotes=("param", "grad", "momentum_buffer"), namespaces=(), ulp=8,
    samples=(
        {"shapes": ((3, 4), (3, 4)), "lr": 0.1, "weight_decay": 0.01},
        {"shapes": ((3, 4), (3, 4), (3, 4)), "lr": 0.1, "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.01},
        {"shapes": ((5,), (5,), (5,)), "lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True},
    ),
)  # fmt: skip
def sgd_update(
    param: Tensor, grad: Tensor, momentum_buffer: Tensor | None = None, rate: Tensor | None = None, *,
    lr: float, momentum: float = 0.0, dampening: float = 0.0, weight_decay: float = 0.0, nesterov: bool = False,
    maximize: bool = False,
) -> tuple[Tensor, ...]:  # fmt: skip
    """A step against the gradient, with momentum if there is a buffer (Sutskever et al. 2013)."""
    return sgd_update.emit(
        param, grad, momentum_buffer, rate, lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay,
        nesterov=nesterov, maximize=maximize,
    )  # fmt: skip


@sgd_update.expression
def _sgd_update(
    param: Any, grad: Any, momentum_buffer: Any, rate: Any, *,
    lr: Any, momentum: float, dampening: float, weight_decay: float, nesterov: bool, maximize: bool,
) -> tuple[Any, ...]:  # fmt: skip
    lr = lr if rate is None else rate
    grad = _direction(param, grad, weight_decay, maximize)
    if momentum_buffer is None:
        return (param - grad * lr,)
    momentum_buffer = momentum_buffer * momentum + (grad * (1 - dampening) if dampening else grad)
    grad = grad + momentum_buffer * momentum if nesterov else momentum_buffer
    return param - grad * lr, momentum_buffer


# ------------------------------------------------------------------ Adam and its kin


_MOMENTS = (None, None, None, (0.01, 1), (1, 20))


@composite(
    rule=real_floating, outputs=3, promotes=("param", "grad", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"),
    namespaces=(), ulp=16,
    samples=(
        {"shapes": ((3, 4), (3, 4), (3, 4), (3, 4), ()), "domains": _MOMENTS, "lr": 0.1, "weight_decay": 0.01},
        {"shapes": ((3, 4), (3, 4), (3, 4), (3, 4), (), (3, 4)), "domains": (*_MOMENTS, (0.01, 1)), "lr": 0.1,
         "weight_decay": 0.01, "decoupled_weight_decay": True, "maximize": True},
    ),
)  # fmt: skip
def adam_update(
    param: Tensor, grad: Tensor, exp_avg: Tensor, exp_avg_sq: Tensor, step: Tensor,
    max_exp_avg_sq: Tensor | None = None, rate: Tensor | None = None, *,
    lr: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, weight_decay: float = 0.0,
    decoupled_weight_decay: bool = False, maximize: bool = False,
) -> tuple[Tensor, ...]:  # fmt: skip
    """A step scaled by running moments of the gradient (Kingma and Ba 2014).

    Decoupled decay: Loshchilov and Hutter 2017; with ``max_exp_avg_sq``, AMSGrad: Reddi et al. 2018.
    """
    return adam_update.emit(
        param, grad, exp_avg, exp_avg_sq, step, max_exp_avg_sq, rate, lr=lr, beta1=beta1, beta2=beta2, eps=eps,
        weight_decay=weight_decay, decoupled_weight_decay=decoupled_weight_decay, maximize=maximize,
    )  # fmt: skip


@adam_update.expression
def _adam_update(
    param: Any, grad: Any, exp_avg: Any, exp_avg_sq: Any, step: Any, max_exp_avg_sq: Any, rate: Any, *,
    lr: Any, beta1: float, beta2: float, eps: float, weight_decay: float, decoupled_weight_decay: bool, maximize: bool,
) -> tuple[Any, ...]:  # fmt: skip
    lr = lr if rate is None else rate
    step = _count(step)
    grad = _direction(param, grad, 0.0 if decoupled_weight_decay else weight_decay, maximize)
    if decoupled_weight_decay and weight_decay:
        param = param * (1 - lr * weight_decay)
    exp_avg = exp_avg + (grad - exp_avg) * (1 - beta1)
    exp_avg_sq = exp_avg_sq * beta2 + grad * grad * (1 - beta2)
    largest = exp_avg_sq if max_exp_avg_sq is None else e.maximum(max_exp_avg_sq, exp_avg_sq)
    bias2 = _bias(beta2, step)
    root = e.sqrt(bias2) if beta2 else 1.0
    denominator = e.sqrt(largest) / root + eps
    param = param - exp_avg / denominator * (lr / _bias(beta1, step))
    new = (param, exp_avg, exp_avg_sq)
    return new if max_exp_avg_sq is None else (*new, largest)


@composite(
    rule=real_floating, outputs=3, promotes=("param", "grad", "exp_avg", "exp_inf"), namespaces=(), ulp=16,
    samples=({"shapes": ((3, 4), (3, 4), (3, 4), (3, 4), ()), "domains": _MOMENTS, "lr": 0.1},),
)  # fmt: skip
def adamax_update(
    param: Tensor, grad: Tensor, exp_avg: Tensor, exp_inf: Tensor, step: Tensor, rate: Tensor | None = None, *,
    lr: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, weight_decay: float = 0.0,
    maximize: bool = False,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Adam with the largest recent gradient in place of the second moment (Kingma and Ba 2014, section 7.1)."""
    return adamax_update.emit(
        param, grad, exp_avg, exp_inf, step, rate, lr=lr, beta1=beta1, beta2=beta2, eps=eps,
        weight_decay=weight_decay, maximize=maximize,
    )  # fmt: skip


@adamax_update.expression
def _adamax_update(
    param: Any, grad: Any, exp_avg: Any, exp_inf: Any, step: Any, rate: Any, *,
    lr: Any, beta1: float, beta2: float, eps: float, weight_decay: float, maximize: bool,
) -> tuple[Any, ...]:  # fmt: skip
    lr = lr if rate is None else rate
    grad = _direction(param, grad, weight_decay, maximize)
    exp_avg = exp_avg + (grad - exp_avg) * (1 - beta1)
    exp_inf = e.maximum(exp_inf * beta2, e.abs(grad) + eps)
    return param - exp_avg / exp_inf * (lr / _bias(beta1, _count(step))), exp_avg, exp_inf


@composite(
    rule=real_floating, outputs=3, promotes=("param", "grad", "exp_avg", "exp_avg_sq"), namespaces=(), ulp=16,
    samples=({"shapes": ((3, 4), (3, 4), (3, 4), (3, 4), (), ()), "domains": (*_MOMENTS, (0.1, 0.9)), "lr": 0.1},),
)  # fmt: skip
def nadam_update(
    param: Tensor, grad: Tensor, exp_avg: Tensor, exp_avg_sq: Tensor, step: Tensor, mu_product: Tensor,
    rate: Tensor | None = None, *, lr: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8,
    weight_decay: float = 0.0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False,
    maximize: bool = False,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Adam with Nesterov momentum (Dozat 2016); ``mu_product`` is the product of momenta up to this step."""
    return nadam_update.emit(
        param, grad, exp_avg, exp_avg_sq, step, mu_product, rate, lr=lr, beta1=beta1, beta2=beta2, eps=eps,
        weight_decay=weight_decay, momentum_decay=momentum_decay, decoupled_weight_decay=decoupled_weight_decay,
        maximize=maximize,
    )  # fmt: skip


def nadam_momentum(step: Any, beta1: float, momentum_decay: float) -> Any:
    """The momentum that NAdam uses in step number ``step``."""
    return beta1 * (1.0 - 0.5 * 0.96 ** (step * momentum_decay))


@nadam_update.expression
def _nadam_update(
    param: Any, grad: Any, exp_avg: Any, exp_avg_sq: Any, step: Any, mu_product: Any, rate: Any, *,
    lr: Any, beta1: float, beta2: float, eps: float, weight_decay: float, momentum_decay: float,
    decoupled_weight_decay: bool, maximize: bool,
) -> tuple[Any, ...]:  # fmt: skip
    lr = lr if rate is None else rate
    step, mu_product = _count(step), _count(mu_product)
    grad = _direction(param, grad, 0.0 if decoupled_weight_decay else weight_decay, maximize)
    if decoupled_weight_decay and weight_decay:
        param = param * (1 - lr * weight_decay)
    exp_avg = exp_avg + (grad - exp_avg) * (1 - beta1)
    exp_avg_sq = exp_avg_sq * beta2 + grad * grad * (1 - beta2)
    denominator = e.sqrt(exp_avg_sq / _bias(beta2, step)) + eps
    mu = nadam_momentum(step, beta1, momentum_decay)
    mu_next = nadam_momentum(step + 1, beta1, momentum_decay)
    param = param - grad / denominator * (lr * (1 - mu) / (1 - mu_product))
    param = param - exp_avg / denominator * (lr * mu_next / (1 - mu_product * mu_next))
    return param, exp_avg, exp_avg_sq


@composite(
    rule=real_floating, outputs=3, promotes=("param", "grad", "exp_avg", "exp_avg_sq"), namespaces=(), ulp=16,
    samples=({"shapes": ((3, 4), (3, 4), (3, 4), (3, 4), ()), "domains": _MOMENTS, "lr": 0.1},),
)  # fmt: skip
def radam_update(
    param: Tensor, grad: Tensor, exp_avg: Tensor, exp_avg_sq: Tensor, step: Tensor, rate: Tensor | None = None, *,
    lr: float, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8, weight_decay: float = 0.0,
    decoupled_weight_decay: bool = False, maximize: bool = False,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Adam with the variance of its first steps rectified (Liu et al. 2019)."""
    return radam_update.emit(
        param, grad, exp_avg, exp_avg_sq, step, rate, lr=lr, beta1=beta1, beta2=beta2, eps=eps,
        weight_decay=weight_decay, decoupled_weight_decay=decoupled_weight_decay, maximize=maximize,
    )  # fmt: skip


@radam_update.expression
def _radam_update(
    param: Any, grad: Any, exp_avg: Any, exp_avg_sq: Any, step: Any, rate: Any, *,
    lr: Any, beta1: float, beta2: float, eps: float, weight_decay: float, decoupled_weight_decay: bool, maximize: bool,
) -> tuple[Any, ...]:  # fmt: skip
    lr = lr if rate is None else rate
    step = _count(step)
    grad = _direction(param, grad, 0.0 if decoupled_weight_decay else weight_decay, maximize)
    if decoupled_weight_decay and weight_decay:
        param = param * (1 - lr * weight_decay)
    exp_avg = exp_avg + (grad - exp_avg) * (1 - beta1)
    exp_avg_sq = exp_avg_sq * beta2 + grad * grad * (1 - beta2)
    bias2 = _bias(beta2, step)
    longest = 2 / (1 - beta2) - 1
    length = longest - step * 2 * (1 - bias2) / bias2
    # Below a length of 5 the variance is not tractable and the step is not scaled; 5 keeps the unused root real.
    tractable = e.gt(length, 5.0)
    rho = e.where(tractable, length, 5.0)
    rectified = e.sqrt((rho - 4) * (rho - 2) * longest / (rho * ((longest - 4) * (longest - 2)))) * e.sqrt(bias2)
    scale = e.where(tractable, rectified / (e.sqrt(exp_avg_sq) + eps), 1.0)
    param = param - exp_avg * scale * (lr / _bias(beta1, step))
    return param, exp_avg, exp_avg_sq


# ------------------------------------------------------------------ scaled by past gradients


@composite(
    rule=real_floating, outputs=4, promotes=("param", "grad", "square_avg", "momentum_buffer", "grad_avg"),
    namespaces=(), ulp=16,
    samples=(
        {"shapes": ((3, 4), (3, 4), (3, 4)), "domains": (None, None, (0.01, 1)), "lr": 0.1, "weight_decay": 0.1},
        {"shapes": ((5,), (5,), (5,), (5,)), "domains": (None, None, (0.01, 1), None), "lr": 0.1, "momentum": 0.9},
    ),
)  # fmt: skip
def rmsprop_update(
    param: Tensor, grad: Tensor, square_avg: Tensor, momentum_buffer: Tensor | None = None,
    grad_avg: Tensor | None = None, rate: Tensor | None = None, *,
    lr: float, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0, momentum: float = 0.0,
    maximize: bool = False,
) -> tuple[Tensor, ...]:  # fmt: skip
    """A step over the root of the mean square of recent gradients (Tieleman and Hinton 2012).

    With ``grad_avg`` the mean square is centred; with ``momentum_buffer`` the step has momentum.
    """
    return rmsprop_update.emit(
        param, grad, square_avg, momentum_buffer, grad_avg, rate, lr=lr, alpha=alpha, eps=eps,
        weight_decay=weight_decay, momentum=momentum, maximize=maximize,
    )  # fmt: skip


@rmsprop_update.expression
def _rmsprop_update(
    param: Any, grad: Any, square_avg: Any, momentum_buffer: Any, grad_avg: Any, rate: Any, *,
    lr: Any, alpha: float, eps: float, weight_decay: float, momentum: float, maximize: bool,
) -> tuple[Any, ...]:  # fmt: skip
    lr = lr if rate is None else rate
    grad = _direction(param, grad, weight_decay, maximize)
    square_avg = square_avg * alpha + grad * grad * (1 - alpha)
    state = [square_avg]
    spread = square_avg
    if grad_avg is not None:
        grad_avg = grad_avg + (grad - grad_avg) * (1 - alpha)
        spread = square_avg - grad_avg * grad_avg
    update = grad / (e.sqrt(spread) + eps)
    if momentum_buffer is not None:
        update = momentum_buffer * momentum + update
        state.append(update)
    if grad_avg is not None:
        state.append(grad_avg)
    return (param - update * lr, *state)


@composite(
    rule=real_floating, outputs=2, promotes=("param", "grad", "sum"), namespaces=(), ulp=16,
    samples=({"shapes": ((3, 4), (3, 4), (3, 4), ()), "domains": (None, None, (0.01, 1), (1, 20)), "lr": 0.1,
              "lr_decay": 0.1},),
)  # fmt: skip
def adagrad_update(
    param: Tensor, grad: Tensor, sum: Tensor, step: Tensor, rate: Tensor | None = None, *,
    lr: float, lr_decay: float = 0.0, weight_decay: float = 0.0, eps: float = 1e-10, maximize: bool = False,
) -> tuple[Tensor, ...]:  # fmt: skip
    """A step over the root of the sum of all squared gradients (Duchi et al. 2011)."""
    return adagrad_update.emit(
        param, grad, sum, step, rate, lr=lr, lr_decay=lr_decay, weight_decay=weight_decay, eps=eps, maximize=maximize
    )


@adagrad_update.expression
def _adagrad_update(
    param: Any, grad: Any, sum: Any, step: Any, rate: Any, *,
    lr: Any, lr_decay: float, weight_decay: float, eps: float, maximize: bool,
) -> tuple[Any, ...]:  # fmt: skip
    lr = lr if rate is None else rate
    grad = _direction(param, grad, weight_decay, maximize)
    if lr_decay:
        lr = lr / ((_count(step) - 1) * lr_decay + 1)
    sum = sum + grad * grad
    return param - grad / (e.sqrt(sum) + eps) * lr, sum


@composite(
    rule=real_floating, outputs=3, promotes=("param", "grad", "square_avg", "acc_delta"), namespaces=(), ulp=16,
    samples=({"shapes": ((3, 4),) * 4, "domains": (None, None, (0.01, 1), (0.01, 1)), "lr": 0.1},),
)  # fmt: skip
def adadelta_update(
    param: Tensor, grad: Tensor, square_avg: Tensor, acc_delta: Tensor, rate: Tensor | None = None, *,
    lr: float, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0.0, maximize: bool = False,
) -> tuple[Tensor, ...]:  # fmt: skip
    """A step scaled by the ratio of recent steps to recent gradients (Zeiler 2012)."""
    return adadelta_update.emit(
        param, grad, square_avg, acc_delta, rate, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay,
        maximize=maximize,
    )  # fmt: skip


@adadelta_update.expression
def _adadelta_update(
    param: Any, grad: Any, square_avg: Any, acc_delta: Any, rate: Any, *,
    lr: Any, rho: float, eps: float, weight_decay: float, maximize: bool,
) -> tuple[Any, ...]:  # fmt: skip
    lr = lr if rate is None else rate
    grad = _direction(param, grad, weight_decay, maximize)
    square_avg = square_avg * rho + grad * grad * (1 - rho)
    delta = e.sqrt(acc_delta + eps) / e.sqrt(square_avg + eps) * grad
    acc_delta = acc_delta * rho + delta * delta * (1 - rho)
    return param - delta * lr, square_avg, acc_delta


# ------------------------------------------------------------------ averaging, and signs alone


@composite(
    rule=real_floating, outputs=2, promotes=("param", "grad", "ax"), namespaces=(), ulp=8,
    samples=({"shapes": ((3, 4), (3, 4), (3, 4), (), ()), "domains": (None, None, None, (0.1, 1), (0.1, 1)),
              "weight_decay": 0.1},),
)  # fmt: skip
def asgd_update(
    param: Tensor, grad: Tensor, ax: Tensor, eta: Tensor, mu: Tensor, *,
    lambd: float = 1e-4, weight_decay: float = 0.0, maximize: bool = False,
) -> tuple[Tensor, ...]:  # fmt: skip
    """A step of size ``eta`` with decay ``lambd``; ``ax`` moves by ``mu`` toward it (Polyak and Juditsky 1992)."""
    return asgd_update.emit(param, grad, ax, eta, mu, lambd=lambd, weight_decay=weight_decay, maximize=maximize)


@asgd_update.expression
def _asgd_update(
    param: Any, grad: Any, ax: Any, eta: Any, mu: Any, *, lambd: float, weight_decay: float, maximize: bool
) -> tuple[Any, ...]:
    grad = _direction(param, grad, weight_decay, maximize)
    param = param * (1 - eta * lambd) - grad * eta
    # With mu = 1, as in all steps up to t0, this is the parameter itself.
    return param, ax * (1 - mu) + param * mu


@composite(
    rule=real_floating, outputs=3, promotes=("param", "grad", "prev", "step_size"), namespaces=(), ulp=4,
    samples=({"shapes": ((3, 4),) * 4, "domains": (None, None, None, (0.01, 1))},),
)  # fmt: skip
def rprop_update(
    param: Tensor, grad: Tensor, prev: Tensor, step_size: Tensor, *,
    eta_minus: float = 0.5, eta_plus: float = 1.2, step_size_min: float = 1e-6, step_size_max: float = 50.0,
    maximize: bool = False,
) -> tuple[Tensor, ...]:  # fmt: skip
    """A step of its own size for each element, grown while the gradient keeps its sign (Riedmiller and Braun 1993)."""
    return rprop_update.emit(
        param, grad, prev, step_size, eta_minus=eta_minus, eta_plus=eta_plus, step_size_min=step_size_min,
        step_size_max=step_size_max, maximize=maximize,
    )  # fmt: skip


@rprop_update.expression
def _rprop_update(
    param: Any, grad: Any, prev: Any, step_size: Any, *,
    eta_minus: float, eta_plus: float, step_size_min: float, step_size_max: float, maximize: bool,
) -> tuple[Any, ...]:  # fmt: skip
    grad = -grad if maximize else grad
    agreement = grad * prev
    turned = e.lt(agreement, 0)
    smaller = e.where(turned, step_size * eta_minus, step_size)
    step_size = e.where(e.gt(agreement, 0), step_size * eta_plus, smaller).clamp(step_size_min, step_size_max)
    # Where the sign has turned there is no step, and the next gradient is compared with nothing.
    grad = e.where(turned, 0.0, grad)
    return param - e.sign(grad) * step_size, grad, step_size
