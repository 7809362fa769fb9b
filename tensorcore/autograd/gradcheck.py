"""Gradients against finite differences, as in ``torch.autograd.gradcheck``."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from tensorcore.autograd.engine import grad
from tensorcore.autograd.gradcheck_jacobians import Jacobians
from tensorcore.autograd.gradcheck_probes import GradcheckError, Settings, as_tuple, differentiable, is_complex
from tensorcore.autograd.gradcheck_properties import (
    check_batched_backward,
    check_batched_forward,
    check_scaled,
    check_undefined,
)
from tensorcore.dtypes import complex128, float64
from tensorcore.tensor import Tensor

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


def gradcheck(
    func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False, check_batched_grad: bool = False, check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False, check_backward_ad: bool = True, fast_mode: bool = False, masked: bool | None = None,
) -> bool:  # fmt: skip
    """Whether the gradients of ``func`` at ``inputs`` agree with central differences.

    The Jacobian of every floating-point output that requires grad, with respect to every input that does, is computed
    by differences and by autograd, element by element: ``inputs`` should be small, and of float64 or complex128. Of
    complex outputs the real and the imaginary part are looked at in turn.

    Args:
        func: takes ``inputs`` and returns a tensor or a tuple; what is not of floating point is left out.
        inputs: a tensor, or a tuple of tensors and other arguments.
        eps: half the distance of the points whose difference is taken.
        atol: what elements may differ by, beside ``rtol`` times the difference quotient.
        rtol: see ``atol``.
        raise_exception: whether a failed check raises; else the answer is ``False``.
        nondet_tol: what two passes backward over the same graph may differ by.
        check_undefined_grad: whether missing cotangents (and tangents) must do as zeros do.
        check_grad_dtypes: whether gradients must have the dtypes of their inputs.
        check_batched_grad: whether `tensorcore.vmap` must run backward on several cotangents at once.
        check_batched_forward_grad: whether it must do so in forward mode.
        check_forward_ad: whether to check forward mode; ``func`` must use the arguments it is given.
        check_backward_ad: whether to check backward.
        fast_mode: compare one random projection of each Jacobian, at the cost of two calls for each input.
        masked: of sparse inputs, move only the elements that they hold.

    Raises:
        GradcheckError: if a check fails, naming output and input, with both Jacobians and what to do.
        ValueError: if no input requires grad, or an output is sparse.
        RuntimeError: if an input overlaps itself, as one that was expanded.
        AssertionError: if the options do not go together.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.linspace(0, 1, 3, dtype=tc.float64, requires_grad=True)
        >>> tc.autograd.gradcheck(tc.sin, (x,))
        True
    """
    for wanted, message in (
        (check_forward_ad or check_backward_ad, "at least one of check_forward_ad and check_backward_ad must be True"),
        (check_backward_ad or not check_batched_grad, "check_batched_grad=True requires check_backward_ad=True"),
        (
            check_forward_ad or not check_batched_forward_grad,
            "check_batched_forward_grad=True requires check_forward_ad=True",
        ),
    ):
        if not wanted:
            raise AssertionError(f"gradcheck: {message}")
    settings = Settings("gradcheck", eps, atol, rtol, nondet_tol, check_grad_dtypes, fast_mode, bool(masked))
    try:
        _check(
            func, inputs, settings, check_forward_ad, check_backward_ad, check_undefined_grad,
            check_batched_grad, check_batched_forward_grad,
        )  # fmt: skip
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6, atol: float = 1e-5,
    rtol: float = 1e-3, gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True,
    nondet_tol: float = 0.0, check_undefined_grad: bool = True, check_grad_dtypes: bool = False,
    check_batched_grad: bool = False, check_fwd_over_rev: bool = False, check_rev_over_rev: bool = True,
    fast_mode: bool = False, masked: bool = False,
) -> bool:  # fmt: skip
    """Whether the gradients of the gradients of ``func`` agree with central differences; see `gradcheck`.

    Checked is the function that takes ``inputs`` and ``grad_outputs`` to the gradients of ``inputs``.

    Args:
        func: takes ``inputs`` and returns a tensor or a tuple.
        inputs: a tensor, or a tuple of tensors and other arguments.
        grad_outputs: the cotangents of the outputs; drawn evenly between -1 and 1 where not given.
        eps: as in `gradcheck`, and so all that is not named here.
        atol: see `gradcheck`.
        rtol: see `gradcheck`.
        gen_non_contig_grad_outputs: whether the cotangents drawn are not contiguous.
        raise_exception: see `gradcheck`.
        nondet_tol: see `gradcheck`.
        check_undefined_grad: see `gradcheck`.
        check_grad_dtypes: see `gradcheck`.
        check_batched_grad: see `gradcheck`.
        check_fwd_over_rev: whether to check forward mode over backward.
        check_rev_over_rev: whether to check backward over backward.
        fast_mode: see `gradcheck`.
        masked: see `gradcheck`.

    Raises:
        GradcheckError: if a check fails, naming output and input, with both Jacobians and what to do.
        AssertionError: if the options do not go together.

    Example:
        >>> import tensorcore as tc
        >>> x = tc.linspace(0, 1, 3, dtype=tc.float64, requires_grad=True)
        >>> tc.autograd.gradgradcheck(tc.sin, (x,))
        True
    """
    for wanted, message in (
        (
            check_fwd_over_rev or check_rev_over_rev,
            "at least one of check_fwd_over_rev and check_rev_over_rev must be True",
        ),
        (check_rev_over_rev or not check_undefined_grad, "check_undefined_grad=True requires check_rev_over_rev=True"),
        (check_rev_over_rev or not check_batched_grad, "check_batched_grad=True requires check_rev_over_rev=True"),
    ):
        if not wanted:
            raise AssertionError(f"gradgradcheck: {message}")
    given = as_tuple(inputs)
    if grad_outputs is None:
        results = as_tuple(func(*given))
        cotangents = tuple([_drawn(results[p], gen_non_contig_grad_outputs) for p in differentiable(results)])
    else:
        cotangents = as_tuple(grad_outputs)
    needed = [isinstance(x, Tensor) and x.requires_grad for x in (*given, *cotangents)]
    count = len(given)

    def gradients(*arguments: Any) -> tuple[Tensor, ...]:
        # Forward mode comes with detached ones.
        arguments = tuple([
            x.requires_grad_() if need and not x.requires_grad else x for x, need in zip(arguments, needed, strict=True)
        ])  # fmt: skip
        results = as_tuple(func(*arguments[:count]))
        outputs = [results[place] for place in differentiable(results)]
        wanted = [x for x, need in zip(arguments[:count], needed, strict=False) if need]
        found = grad(outputs, wanted, arguments[count:], create_graph=True, allow_unused=True)
        return tuple([g for g in found if g is not None])

    settings = Settings(
        "gradgradcheck", eps, atol, rtol, nondet_tol, check_grad_dtypes, fast_mode, masked,
        f"(Outputs are here the gradients of the inputs, in their order; inputs from {count} on are the grad_outputs.)",
    )  # fmt: skip
    try:
        _check(
            gradients, given + cotangents, settings, check_fwd_over_rev, check_rev_over_rev, check_undefined_grad,
            check_batched_grad, False,
        )  # fmt: skip
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _drawn(output: Tensor, apart: bool) -> Tensor:
    """A cotangent for an output, between -1 and 1, a leaf; with ``apart`` its elements are not neighbours in memory."""
    from tensorcore.ops.random import rand

    def uniform() -> Tensor:
        dtype = output.dtype.to_real() if is_complex(output) else output.dtype
        return rand(*output.shape, 2, dtype=dtype, device=output.device) * 2 - 1

    drawn = uniform() + 1j * uniform() if is_complex(output) else uniform()
    drawn = drawn[..., 0]
    return (drawn if apart else drawn.contiguous()).detach().requires_grad_()


def _check(
    func: Callable[..., Any], inputs: Any, settings: Settings, forward: bool, backward: bool, undefined: bool,
    batched: bool, batched_forward: bool,
) -> None:  # fmt: skip
    given = as_tuple(inputs)
    _check_inputs(settings.name, given)
    results = as_tuple(func(*given))
    for place, y in enumerate(results):
        if isinstance(y, Tensor) and y._kind.sparse and y.requires_grad:
            raise ValueError(
                f"{settings.name}: Sparse output is not supported, and output {place} is {y.layout}; let the function "
                "return output.to_dense(masked_grad=...)"
            )
    jacobians = Jacobians(func, given, results, settings)
    if not jacobians.places:
        jacobians.check_constant()
    if backward:
        jacobians.check_backward()
    if forward:
        jacobians.check_forward()
        if undefined:
            jacobians.check_undefined_forward()
    if batched_forward:
        check_batched_forward(jacobians)
    if not backward:
        return
    if batched:
        check_batched_backward(jacobians)
    check_scaled(jacobians)
    if undefined:
        check_undefined(jacobians)


def _check_inputs(name: str, given: tuple[Any, ...]) -> None:
    places = differentiable(given)
    if not places:
        raise ValueError(
            f"{name}: expects at least one input tensor to require gradient, but none of the inputs requires grad"
        )
    for place in places:
        x = given[place]
        if x.dtype not in (float64, complex128):
            warnings.warn(
                f"{name}: input {place} requires gradient and is {x.dtype}, not of double precision; the check will "
                "likely fail unless inputs are float64 or complex128",
                stacklevel=4,
            )
        if x._kind.sparse or not x.numel():
            continue
        if any(step == 0 and side > 1 for step, side in zip(x.stride(), x.shape, strict=True)):
            raise RuntimeError(
                f"{name}: The {place}th input has a dimension with stride 0, of shape {list(x.shape)}: its elements "
                "are one in memory, so that they cannot be moved one at a time; pass .contiguous() of it"
            )
