"""Gradients against finite differences, as in ``torch.autograd.gradcheck``."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from tensorcore.autograd.engine import grad
from tensorcore.dtypes import COMPLEX, FLOATING, complex128, float64
from tensorcore.tensor import Tensor

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """A gradient that differs from the finite difference, or from one computation to the next."""


def gradcheck(
    func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    raise_exception: bool = True, nondet_tol: float = 0.0, check_grad_dtypes: bool = False,
) -> bool:  # fmt: skip
    """Whether the gradients of ``func`` at ``inputs`` agree with central differences of step ``eps``.

    The Jacobian of every floating-point output with respect to every input that requires grad is computed both ways,
    an element at a time: ``inputs`` should be small, and of float64. Complex numbers are checked as pairs of real ones.

    Raises:
        GradcheckError: if an element differs by more than ``atol + rtol * |difference quotient|``, or by more than
            ``nondet_tol`` from one backward pass to the next (``False`` is returned with ``raise_exception=False``).
        ValueError: if no input requires grad.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.linspace(0, 1, 3, dtype=tc.float64, requires_grad=True)
        >>> tc.autograd.gradcheck(tc.sin, (x,))
        True
    """
    given = inputs if isinstance(inputs, (tuple, list)) else (inputs,)
    places = [i for i, x in enumerate(given) if isinstance(x, Tensor) and x.requires_grad]
    if not places:
        raise ValueError("gradcheck: none of the inputs requires grad")
    for i in places:
        if given[i].dtype not in (float64, complex128):
            warnings.warn(
                f"gradcheck: input {i} is {given[i].dtype}; differences of step {eps} are only meaningful in float64",
                stacklevel=2,
            )
    points = [_real(given[i].detach()) for i in places]

    def outputs_at(points: list[Tensor]) -> list[Tensor]:
        arguments = list(given)
        for i, point in zip(places, points, strict=True):
            arguments[i] = _like(point, given[i])
        result = func(*arguments)
        listed = result if isinstance(result, (tuple, list)) else (result,)
        return [_real(y) for y in listed if isinstance(y, Tensor) and y.dtype.category >= FLOATING]

    try:
        leaves = [point.clone().requires_grad_() for point in points]
        for number, out in enumerate(outputs_at(leaves)):
            analytical = _rows(out, leaves, nondet_tol, check_grad_dtypes)
            for i, rows, columns in zip(places, analytical, _columns(outputs_at, points, number, eps), strict=True):
                _compare(rows, columns, atol, rtol, f"output {number} of shape {list(out.shape)}", i, given[i])
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6, atol: float = 1e-5,
    rtol: float = 1e-3, raise_exception: bool = True, nondet_tol: float = 0.0, check_grad_dtypes: bool = False,
) -> bool:  # fmt: skip
    """Whether the gradients of the gradients of ``func`` agree with central differences; see `gradcheck`.

    Without ``grad_outputs`` the cotangents are drawn from the standard normal distribution.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.linspace(0, 1, 3, dtype=tc.float64, requires_grad=True)
        >>> tc.autograd.gradgradcheck(tc.sin, (x,))
        True
    """
    from tensorcore.ops.random import randn_like

    given = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)

    def differentiable(result: Any) -> list[Tensor]:
        listed = result if isinstance(result, (tuple, list)) else (result,)
        return [y for y in listed if isinstance(y, Tensor) and y.requires_grad]

    if grad_outputs is None:
        cotangents = tuple(randn_like(y).detach().requires_grad_() for y in differentiable(func(*given)))
    else:
        cotangents = tuple(grad_outputs) if isinstance(grad_outputs, (tuple, list)) else (grad_outputs,)

    def gradients(*arguments: Any) -> tuple[Tensor, ...]:
        primals, weights = arguments[: len(given)], arguments[len(given) :]
        wanted = [x for x in primals if isinstance(x, Tensor) and x.requires_grad]
        found = grad(differentiable(func(*primals)), wanted, weights, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        gradients, given + cotangents, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
        nondet_tol=nondet_tol, check_grad_dtypes=check_grad_dtypes,
    )  # fmt: skip


def _real(x: Tensor) -> Tensor:
    """Complex numbers as pairs of real ones: PyTorch's gradient of a complex number is that of its two parts."""
    from tensorcore.ops.complex import view_as_real

    return view_as_real(x) if x.dtype.category >= COMPLEX else x


def _like(point: Tensor, x: Tensor) -> Tensor:
    from tensorcore.ops.complex import view_as_complex

    return view_as_complex(point) if x.dtype.category >= COMPLEX else point


def _unit(x: Tensor, place: int, length: float) -> Tensor:
    """A tensor like ``x`` that is zero but for its element number ``place``."""
    from tensorcore.ops.creation import zeros

    flat = zeros(x.numel(), dtype=x.dtype, device=x.device)
    flat[place] = length
    return flat.reshape(x.shape)


def _rows(out: Tensor, leaves: list[Tensor], nondet_tol: float, check_dtypes: bool) -> list[list[Tensor]]:
    """By autograd: per leaf, the gradient of each element of ``out``."""
    from tensorcore.ops.creation import zeros_like

    found: list[list[Tensor]] = [[] for _ in leaves]
    for place in range(out.numel()):
        if not out.requires_grad:
            gradients = again = tuple(zeros_like(leaf) for leaf in leaves)
        else:
            seed = _unit(out, place, 1.0)
            gradients, again = (
                grad(out, leaves, seed, retain_graph=True, allow_unused=True, materialize_grads=True) for _ in range(2)
            )
        for rows, leaf, first, second in zip(found, leaves, gradients, again, strict=True):
            if first.numel() and not (first - second).abs().max().item() <= nondet_tol:
                raise GradcheckError(
                    "gradcheck: backward is not reproducible: two passes differ by "
                    f"{(first - second).abs().max().item()}, more than nondet_tol={nondet_tol}"
                )
            if check_dtypes and first.dtype is not leaf.dtype:
                raise GradcheckError(f"gradcheck: a gradient is {first.dtype}, its input {leaf.dtype}")
            rows.append(first.reshape(-1))
    return found


def _columns(
    outputs_at: Callable[[list[Tensor]], list[Tensor]], points: list[Tensor], number: int, eps: float
) -> Iterator[list[Tensor]]:
    """By central differences: per point, the derivative of output ``number`` along each of its elements."""
    for i, point in enumerate(points):
        columns = []
        for place in range(point.numel()):
            ends = []
            for step in (eps, -eps):
                moved = list(points)
                moved[i] = point + _unit(point, place, step)
                ends.append(outputs_at([p.detach().requires_grad_() for p in moved])[number].detach())
            columns.append(((ends[0] - ends[1]) / (2 * eps)).reshape(-1))
        yield columns


def _compare(
    rows: list[Tensor], columns: list[Tensor], atol: float, rtol: float, output: str, place: int, x: Tensor
) -> None:
    analytical = [row.tolist() for row in rows]
    numerical = [column.tolist() for column in columns]
    worst = None
    for j, row in enumerate(analytical):
        for k, found in enumerate(row):
            expected = numerical[k][j]
            excess = abs(found - expected) - (atol + rtol * abs(expected))
            # NaN in either is a difference too.
            if not excess <= 0 and (worst is None or not excess <= worst[0]):
                worst = excess, j, k, found, expected
    if worst is not None:
        _, j, k, found, expected = worst
        raise GradcheckError(
            f"gradcheck: Jacobian mismatch for {output} with respect to input {place} of shape {list(x.shape)}: "
            f"the derivative of output element {j} by input element {k} is {found} by backward and "
            f"{expected} by differences (atol={atol}, rtol={rtol})"
        )
