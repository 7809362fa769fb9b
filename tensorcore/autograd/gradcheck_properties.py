"""What `gradcheck` asks of gradients beside their values: batches of them, and cotangents that are zero or missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorcore.autograd.engine import grad
from tensorcore.autograd.function import FunctionNode
from tensorcore.autograd.gradcheck_jacobians import Jacobians
from tensorcore.autograd.gradcheck_probes import GradcheckError, Probe, pushed
from tensorcore.autograd.graph import SelectNode
from tensorcore.autograd.run import Cotangents
from tensorcore.dtypes import FLOATING
from tensorcore.tensor import Tensor

__all__ = ["check_batched_backward", "check_batched_forward", "check_scaled", "check_undefined"]

#: How many cotangents or tangents make a batch.
BATCH = 2


def check_batched_backward(jacobians: Jacobians) -> None:
    """Gradients of several cotangents at a time, by vmap, against one after another.

    Raises:
        GradcheckError: where vmap cannot run backward, or what it gives differs.
    """
    probes = jacobians.probes
    tensors = [probe.x for probe in probes]
    for place in jacobians.places:
        output = jacobians.results[place]

        def pulled(cotangent: Tensor, output: Tensor = output) -> tuple[Tensor, ...]:
            found = grad(output, tensors, cotangent, retain_graph=True, allow_unused=True)
            return tuple([_zeros_like(x) if g is None else g for g, x in zip(found, tensors, strict=True)])

        names = [f"For output {place} and input {probe.place}" for probe in probes]
        _check_batched(jacobians, pulled, output, names, "check_batched_grad")


def check_batched_forward(jacobians: Jacobians) -> None:
    """Derivatives along several tangents at a time, by vmap, against one after another.

    Raises:
        GradcheckError: where vmap cannot run forward mode, or what it gives differs.
    """
    for probe in jacobians.probes:

        def along(tangent: Tensor, probe: Probe = probe) -> tuple[Tensor, ...]:
            return pushed(jacobians.func, jacobians.inputs, {probe.place: tangent}, None)

        places = [p for p, y in enumerate(jacobians.results) if isinstance(y, Tensor) and y.dtype.category >= FLOATING]
        names = [f"For output {place} and input {probe.place}, by forward mode" for place in places]
        _check_batched(jacobians, along, probe.x, names, "check_batched_forward_grad")


def _check_batched(
    jacobians: Jacobians, function: Callable[[Tensor], tuple[Tensor, ...]], like: Tensor, names: list[str], option: str
) -> None:
    from tensorcore.func import vmap
    from tensorcore.ops.movement import stack
    from tensorcore.ops.random import randn
    from tensorcore.random import Generator

    generator = Generator().manual_seed(0)
    given = [randn(tuple(like.shape), generator=generator, dtype=like.dtype, device=like.device) for _ in range(BATCH)]
    one_by_one = [stack(list(each)) for each in zip(*map(function, given), strict=True)]
    name = jacobians.settings.name
    advice = (
        f"Let backward (or jvp) be made of ops that vmap runs on all examples at once, give the Function a vmap static "
        f"method, or pass {option}=False"
    )
    try:
        at_once = vmap(function)(stack(given))
    except RuntimeError as error:
        raise GradcheckError(f"{name}: While computing batched gradients, got: {error}\n{advice}") from error
    for what, found, expected in zip(names, at_once, one_by_one, strict=True):
        if not found.allclose(expected):
            raise GradcheckError(
                f"{name}: {what}: gradients of a batch of cotangents differ from those of one after another.\n"
                f"Got:\n{found}\nExpected:\n{expected}\n{advice}"
            )


def check_scaled(jacobians: Jacobians) -> None:
    """Cotangents of zeros must give gradients of zeros, each of its input's shape, dtype, layout and device.

    Raises:
        GradcheckError: where they do not.
    """
    if not jacobians.places:
        return
    name = jacobians.settings.name
    outputs = [jacobians.results[place] for place in jacobians.places]
    cotangents = [_zeros_like(y) for y in outputs]
    found = grad(outputs, [p.x for p in jacobians.probes], cotangents, retain_graph=True, allow_unused=True)
    for probe, gradient in zip(jacobians.probes, found, strict=True):
        if gradient is None:
            continue
        which = f"the gradient of input {probe.place}"
        if gradient._kind.sparse:
            _check_layout(name, which, gradient, probe.x)
        values = gradient.to_dense() if gradient._kind.sparse else gradient
        zeros = _zeros_like(values)
        if not (values.allclose(zeros) if jacobians.settings.masked else (values == 0).all().item()):
            raise GradcheckError(
                f"{name}: backward not multiplied by grad_output: {which} is not zero for cotangents of zeros:\n"
                f"{values}\nMultiply what backward returns by its grad_output"
            )
        for what, met, wanted in (
            ("type", gradient.dtype, probe.x.dtype),
            ("device", gradient.device, probe.x.device),
            ("size", list(gradient.shape), list(probe.x.shape)),
        ):
            if met != wanted:
                raise GradcheckError(f"{name}: grad is incorrect {what}: {which} has {met}, the input {wanted}")


def _check_layout(name: str, which: str, gradient: Any, x: Any) -> None:
    if gradient.layout != x.layout:
        raise GradcheckError(f"{name}: grad is incorrect layout: {which} is {gradient.layout}, the input {x.layout}")
    for what in ("sparse_dim", "dense_dim"):
        met, wanted = getattr(gradient, what)(), getattr(x, what)()
        if met != wanted:
            raise GradcheckError(f"{name}: {which} is sparse, but has incorrect {what} {met}, expected {wanted}")


def check_undefined(jacobians: Jacobians) -> None:
    """Cotangents that are missing must do as zeros do: all of them, and each in turn.

    Raises:
        GradcheckError: where backward fails, or gives something else.
    """
    outputs = [jacobians.results[place] for place in jacobians.places]
    tensors = [probe.x for probe in jacobians.probes]
    # A step that no cotangent reaches is not run at all; what a custom one would do is asked of it directly.
    for node in {id(n): n for n in map(_step_of, outputs) if isinstance(n, FunctionNode)}.values():
        _check_zero(jacobians, "all output grads are undefined", lambda node=node: _undefined(node))  # type: ignore[misc]
    if len(outputs) > 1:
        for left_out, place in enumerate(jacobians.places):
            rest = [y for number, y in enumerate(outputs) if number != left_out]
            _check_zero(
                jacobians,
                f"the grad of output {place} is undefined and the others are zero",
                lambda rest=rest: grad(  # type: ignore[misc]
                    rest, tensors, [_zeros_like(y) for y in rest], retain_graph=True, allow_unused=True
                ),
            )


def _step_of(output: Tensor) -> Any:
    node = output._node
    return node.owner if isinstance(node, SelectNode) else node


def _undefined(node: FunctionNode) -> Any:
    if node.outputs > 1:
        return node.backward(Cotangents(node), False)
    from tensorcore.ops.creation import zeros

    materialized = node.context._materialize
    return node.backward(
        zeros(node.shape, dtype=node.kind.dtype, device=node.kind.device) if materialized else None, False
    )


def _check_zero(jacobians: Jacobians, case: str, gradients: Callable[[], Any]) -> None:
    name = jacobians.settings.name
    advice = (
        "Let backward treat None as zeros (or leave ctx.set_materialize_grads on), or pass check_undefined_grad=False"
    )
    try:
        found = gradients()
    except RuntimeError as error:
        raise GradcheckError(
            f"{name}: Expected backward function to handle undefined output grads, but where {case} it raises "
            f"{type(error).__name__}: {error}\n{advice}"
        ) from error
    for gradient in found:
        if gradient is not None and not (gradient == 0).all().item():
            raise GradcheckError(
                f"{name}: Expected all input grads to be undefined or zero when all output grads are undefined or "
                f"zero, but where {case} one is:\n{gradient}\n{advice}"
            )


def _zeros_like(x: Tensor) -> Tensor:
    from tensorcore.ops.creation import zeros

    return zeros(tuple(x.shape), dtype=x.dtype, device=x.device)
