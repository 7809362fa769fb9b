"""Gradient checks: against finite differences in float64, second derivatives, and each dtype against float64."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from tensorcore import autograd, dtypes
from tensorcore.dtypes import COMPLEX, FLOATING
from tensorcore.errors import TensorcoreError
from tensorcore.tensor import Tensor
from tensorcore_conformance.arrays import from_numpy, native, to_numpy
from tensorcore_conformance.forward import ConformanceError, Measured, oracle_device
from tensorcore_conformance.recipes import Recipe, flat_outputs

__all__ = [
    "Point", "along", "check_direction", "check_gradient", "check_second", "check_tied", "gradients_at",
    "judge_derivative", "random_direction", "refused",
]  # fmt: skip

#: Step of the central differences, of fourth order: truncation and rounding both err by about 1e-12.
STEP = 2e-4
#: Relative error allowed between a rule and the differences; a rule off by 0.05 % is off by 5e-4.
BUDGET = 1e-8
#: How much two step sizes may disagree about a derivative; more means a kink or a jump between the points.
SMOOTH = 1e-4
#: How many points are tried to find one without a kink.
POINTS = 6

#: Operands that PyTorch treats as constants, so that they have no gradient.
CONSTANTS = {
    "cross_entropy": ("weight",), "linear_cross_entropy_part": ("weight",), "nll_loss": ("weight",),
    "igamma": ("input",), "igammac": ("input",),
    "special_zeta": ("input",),
}  # fmt: skip
#: Ops whose outputs after the first have no gradient in PyTorch either.
FIRST_ONLY = frozenset(("native_layer_norm", "native_group_norm", "native_batch_norm", "linalg_lstsq"))
#: Arguments under which a gradient is by design not the derivative.
DELIBERATE = ("scale_grad_by_freq", "padding_idx", "quant_max")


class KinkError(Exception):
    """The function has a kink or a jump near the point."""


class Point:
    """An op at some operands, and the scalar Re(sum(conj(w) * op(x))) whose gradient is checked.

    Where the sample prepares operands, ``op`` is the op of the prepared ones and ``x`` what was drawn.
    """

    def __init__(self, recipe: Recipe, device: str, operands: list[Any] | None = None) -> None:
        self.recipe, self.device = recipe, device
        self.operands = recipe.drawn() if operands is None else operands
        self.rng = np.random.default_rng(recipe.seed + 1)
        constant = CONSTANTS.get(recipe.op.removesuffix("_fused"), ())
        names = [name.lstrip("*") for name in recipe.record.operands]
        names += names[-1:] * (len(self.operands) - len(names))
        self.places = [
            i for i, x in enumerate(self.operands) if (_is_floating(x) and names[i] not in constant)
        ]  # fmt: skip

    def outputs(self, operands: list[Any], grad: bool) -> tuple[list[Any], list[Tensor]]:
        """The operands as tensors, and the outputs that gradients flow through."""
        tensors = [None if x is None else from_numpy(x, self.device) for x in operands]
        if grad:
            for place in self.places:
                tensors[place].requires_grad = True  # type: ignore[union-attr]
        result = self.recipe.call(self.recipe.prepared(tensors), self.device)
        record = self.recipe.record
        # Records that users cannot call return statistics for their gradients beside the result.
        alone = record.name in FIRST_ONLY or not (record.primitive or record.paths)
        results = flat_outputs(result)[: 1 if alone else None]
        outs = [x for x in results if isinstance(x, Tensor) and x.dtype.category >= FLOATING]
        return tensors, outs

    def weights(self, outs: list[Tensor]) -> list[Any]:
        """Cotangents, the same for every call on this point."""
        rng = np.random.default_rng(self.recipe.seed + 2)
        return [random_direction(rng, tuple(x.shape), native(x.dtype)) for x in outs]

    def value(self, operands: list[Any]) -> float:
        """The scalar, summed in float64."""
        with autograd.no_grad():
            outs = self.outputs(operands, False)[1]
        arrays = [to_numpy(x) for x in outs]
        return math.fsum(float(np.sum((np.conj(w) * y).real)) for w, y in zip(self.weights(outs), arrays, strict=True))


def _is_floating(x: Any) -> bool:
    return x is not None and (x.dtype.kind in "fc" or x.dtype.name == "bfloat16")


def random_direction(rng: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """Elements of both signs, none near zero."""
    made = rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape)
    if dtype.kind == "c":
        made = made + 1j * rng.uniform(-1, 1, shape)
    return np.asarray(made).astype(dtype)


def _shifted(operands: list[Any], place: int, direction: Any, step: float) -> list[Any]:
    moved = list(operands)
    moved[place] = operands[place] + step * direction
    return moved


def _difference(function: Any, operands: list[Any], place: int, direction: Any) -> float:
    """The derivative of ``function`` along ``direction``, by central differences of fourth order.

    Raises:
        KinkError: where two step sizes disagree.
    """
    near = (
        function(_shifted(operands, place, direction, STEP)) - function(_shifted(operands, place, direction, -STEP))
    ) / 2
    far = (
        function(_shifted(operands, place, direction, 2 * STEP))
        - function(_shifted(operands, place, direction, -2 * STEP))
    ) / 4
    if not abs(near - far) <= SMOOTH * STEP * max(1.0, abs(near) / STEP):
        raise KinkError
    return float((4 * near - far) / (3 * STEP))


def along(gradient: Any, direction: Any) -> tuple[float, float]:
    """The gradient's component along a direction, and the size of the terms it is made of."""
    terms = (np.conj(gradient) * direction).real
    if not np.isfinite(terms).all():
        with np.errstate(all="ignore"):
            return float(np.sum(terms)), math.inf  # infinities of both signs have no sum
    return math.fsum(terms.reshape(-1).tolist()), float(np.sum(np.abs(terms)))


def _differentiable(outs: list[Tensor]) -> list[Tensor]:
    return [x for x in outs if x.requires_grad]


def gradients_at(point: Point, create_graph: bool = False) -> tuple[list[Any], list[Any], list[Any]] | None:
    """(operands, cotangents, gradients) as tensors, or ``None`` where the op has no gradient."""
    tensors, outs = point.outputs(point.operands, True)
    weights = [from_numpy(w, point.device) for w in point.weights(outs)]
    pairs = [(x, w) for x, w in zip(outs, weights, strict=True) if x.requires_grad]
    if not pairs:
        return None
    cotangents = [w for _, w in pairs]
    if create_graph:
        for w in cotangents:
            w.requires_grad = True
    wanted = [tensors[place] for place in point.places]
    found = autograd.grad([x for x, _ in pairs], wanted, cotangents, create_graph=create_graph, allow_unused=True)
    return tensors, cotangents, list(found)


def _at_smooth_points(check: Any) -> Any:
    """The check at the recipe's point, or at the first near it where the function is smooth."""

    @functools.wraps(check)
    def checked(recipe: Recipe, device: str) -> Measured:
        if any(recipe.kwargs.get(name) for name in DELIBERATE):
            return Measured(oracle="deliberately not the derivative")
        for turn in range(POINTS):
            moved = recipe.replaced(seed=recipe.seed + 1000 * turn)
            if turn == 0 and refused(moved, device):
                return Measured(oracle="refusal")
            try:
                return check(moved, device)
            except KinkError:
                continue
        return Measured(oracle="not smooth")

    return checked


def refused(recipe: Recipe, device: str) -> bool:
    """Whether the op takes no such operands; that it refuses them rightly is a forward check."""
    try:
        with autograd.no_grad():
            recipe.call(recipe.tensors(device), device)
    except (TensorcoreError, TypeError, NotImplementedError):
        return True
    return False


def _narrows(point: Point) -> bool:
    """Whether outputs are too coarse for differences; `check_direction` compares gradients in each dtype."""
    with autograd.no_grad():
        outs = point.outputs(point.operands, False)[1]
    return any(dtypes.finfo(x.dtype).eps > 1e-10 for x in outs)


@_at_smooth_points
def check_gradient(recipe: Recipe, device: str) -> Measured:
    """Gradients of float64 (or complex128) operands against central differences along random directions."""
    point = Point(recipe, device)
    found = gradients_at(point)
    if found is None:
        return Measured(oracle="no gradient")
    if _narrows(point):
        return Measured(oracle="a narrower dtype")
    tensors, _, gradients = found
    share = 0.0
    for place, gradient in zip(point.places, gradients, strict=True):
        x = point.operands[place]
        for _ in range(2):
            direction = random_direction(point.rng, x.shape, x.dtype)
            numeric = _difference(point.value, point.operands, place, direction)
            if gradient is None:
                analytic, size = 0.0, 0.0
            else:
                _same_form(place, gradient, tensors[place])
                analytic, size = along(to_numpy(gradient), direction)
            share = max(share, judge_derivative(f"gradient of operand {place}", analytic, numeric, size))
    return Measured(oracle="finite differences in float64", budget=share)


@_at_smooth_points
def check_tied(recipe: Recipe, device: str) -> Measured:
    """Gradients where elements are equal, along directions that keep them so: the function has no kink there.

    Whichever of equal elements is chosen, and however a gradient is shared among them, the derivative is the same.
    """
    point = Point(recipe.replaced(fill="ties"), device)
    found = gradients_at(point)
    if found is None or _narrows(point):
        return Measured(oracle="no gradient")
    share = 0.0
    for place, gradient in zip(point.places, found[2], strict=True):
        x = point.operands[place]
        moves = random_direction(point.rng, (3,), x.dtype)
        direction = np.asarray(moves[x.real.astype(int)])
        numeric = _difference(point.value, point.operands, place, direction)
        analytic, size = (0.0, 0.0) if gradient is None else along(to_numpy(gradient), direction)
        share = max(share, judge_derivative(f"gradient of operand {place} at equal elements", analytic, numeric, size))
    return Measured(oracle="finite differences in float64", budget=share)


def _same_form(place: int, gradient: Tensor, operand: Tensor) -> None:
    if tuple(gradient.shape) != tuple(operand.shape) or gradient.dtype is not operand.dtype:
        raise ConformanceError(
            f"gradient of operand {place}: expected shape {list(operand.shape)} and {operand.dtype.name}, "
            f"got {list(gradient.shape)} and {gradient.dtype.name}"
        )


def judge_derivative(
    what: str, analytic: float, numeric: float, size: float, budget: float = BUDGET, told: str = "central differences"
) -> float:
    """The error over what is allowed; raises where it is above 1."""
    allowed = budget * max(1.0, size, abs(numeric))
    # Where both are not finite, the value is at fault, which other checks see.
    if not abs(analytic - numeric) <= allowed and (math.isfinite(analytic) or math.isfinite(numeric)):
        raise ConformanceError(
            f"{what}: expected {numeric:.12g} along a random direction ({told}), got {analytic:.12g}; "
            f"relative error {abs(analytic - numeric) / max(abs(numeric), 1e-300):.3g}, allowed {allowed:.3g} absolute"
        )
    share = abs(analytic - numeric) / allowed
    return share if math.isfinite(share) else 0.0


@_at_smooth_points
def check_second(recipe: Recipe, device: str) -> Measured:
    """The derivative of the first gradient, for operands and cotangents, against differences of the first gradient."""
    point = Point(recipe, device)
    found = gradients_at(point, create_graph=True)
    if found is None:
        return Measured(oracle="no gradient")
    if _narrows(point):
        return Measured(oracle="a narrower dtype")
    tensors, cotangents, gradients = found
    kept = [(place, g) for place, g in zip(point.places, gradients, strict=True) if g is not None]
    if not kept:
        return Measured(oracle="no gradient")
    rng = np.random.default_rng(recipe.seed + 3)
    directions = [random_direction(rng, tuple(g.shape), native(g.dtype)) for _, g in kept]
    live = [(g, v) for (_, g), v in zip(kept, directions, strict=True) if g.requires_grad]
    wanted = [*(tensors[place] for place in point.places), *cotangents]
    if live:
        seeds = [from_numpy(v, device) for _, v in live]
        second = autograd.grad([g for g, _ in live], wanted, seeds, allow_unused=True)
    else:
        second = (None,) * len(wanted)

    def first_along(operands: list[Any]) -> float:
        moved = Point(recipe, device, operands)
        again = gradients_at(moved)
        assert again is not None
        by_place = dict(zip(moved.places, again[2], strict=True))
        return math.fsum(
            0.0 if by_place[place] is None else along(to_numpy(by_place[place]), v)[0]
            for (place, _), v in zip(kept, directions, strict=True)
        )

    share = 0.0
    for number, place in enumerate(point.places):
        x = point.operands[place]
        direction = random_direction(rng, x.shape, x.dtype)
        numeric = _difference(first_along, point.operands, place, direction)
        analytic, size = (0.0, 0.0) if second[number] is None else along(to_numpy(second[number]), direction)
        share = max(share, judge_derivative(f"second derivative by operand {place}", analytic, numeric, max(size, 1.0)))
    # In the cotangent the gradient is linear, so its derivative along w is the gradient at w.
    if live:
        parts = [(w, s) for w, s in zip(cotangents, second[len(point.places) :], strict=True) if s is not None]
        linear = math.fsum(along(to_numpy(s), to_numpy(w))[0] for w, s in parts)
        size = sum(along(to_numpy(s), to_numpy(w))[1] for w, s in parts)
        judge_derivative("derivative of the gradient by the cotangent", linear, first_along(point.operands), size)
    return Measured(oracle="differences of the first gradient in float64", budget=share)


def check_direction(recipe: Recipe, device: str) -> Measured:
    """Gradients in the recipe's own dtype against those in float64 on another device."""
    if refused(recipe, device):
        return Measured(oracle="refusal")
    point = Point(recipe, device)
    found = gradients_at(point)
    if found is None:
        return Measured(oracle="no gradient")
    tensors, cotangents, gradients = found
    dtype = dtypes.by_name(recipe.dtypes[point.places[0]])
    to = np.complex128 if dtype.category == COMPLEX else np.float64
    operands = [x.astype(to) if place in point.places else x for place, x in enumerate(point.operands)]
    names = tuple(np.dtype(to).name if place in point.places else name for place, name in enumerate(recipe.dtypes))
    there = Point(recipe.replaced(dtypes=names), oracle_device(device), operands)
    there.places = point.places
    # The cotangents too are those of the tested dtype, widened.
    weights = [to_numpy(w).astype(np.complex128 if w.dtype.category == COMPLEX else np.float64) for w in cotangents]
    others, outs = there.outputs(operands, True)
    live = _differentiable(outs)
    wide = autograd.grad(
        live,
        [others[p] for p in point.places],
        [from_numpy(w.astype(native(x.dtype)), there.device) for x, w in zip(live, weights, strict=True)],
        allow_unused=True,
    )
    eps = dtypes.finfo(dtype).eps
    share = 0.0
    for place, mine, other in zip(point.places, gradients, wide, strict=True):
        if (mine is None) != (other is None):
            raise ConformanceError(
                f"gradient of operand {place}: {'missing' if mine is None else 'present'} in {dtype.name}, "
                "not so in float64"
            )
        if mine is None:
            continue
        _same_form(place, mine, tensors[place])
        got, wanted = to_numpy(mine).astype(to), to_numpy(other)
        # What the dtype cannot hold is its infinity, and is no part of the sums.
        over = np.isinf(got) & (np.abs(wanted) >= dtypes.finfo(dtype).max)
        got, wanted = np.where(over, 0, got), np.where(over, 0, wanted)
        direction = random_direction(point.rng, got.shape, np.dtype(to))
        analytic, size = along(got, direction)
        exact, scale = along(wanted, direction)
        budget = 32 * eps * max(size, scale, 1.0)
        if not abs(analytic - exact) <= budget and (math.isfinite(exact) or math.isfinite(analytic)):
            raise ConformanceError(
                f"gradient of operand {place} in {dtype.name}, along a random direction: expected {exact:.9g} "
                f"(float64 on {there.device}), got {analytic:.9g}; "
                f"error {abs(analytic - exact):.3g}, budget {budget:.3g}"
            )
        if math.isfinite(exact) and math.isfinite(analytic):
            share = max(share, abs(analytic - exact) / budget)
    return Measured(oracle=f"float64 on {there.device}", budget=share)
