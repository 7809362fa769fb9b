"""Operands that lie in a set, such as positive definite matrices, and outputs seen without their free choices.

A sample's ``prepare`` names one of `PREPARATIONS` per operand, its ``observe`` one of `OBSERVATIONS`. Both are written
once for NumPy arrays and tensors: gradient checks differentiate through the preparation, so that perturbed operands
stay in the set, and compare what does not depend on the gauge (signs, phases, the order of eigenvalues).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tensorcore.tensor import Tensor
from tensorcore_conformance.arrays import from_numpy, native

__all__ = ["OBSERVATIONS", "PREPARATIONS", "observed", "prepared"]


def _like(x: Any, values: Any) -> Any:
    """The array ``values`` in the dtype of ``x``, on its device."""
    if isinstance(x, Tensor):
        return from_numpy(np.asarray(values).astype(native(x.dtype)), str(x.device))
    return np.asarray(values).astype(x.dtype)


def _adjoint(x: Any) -> Any:
    return x.conj().mT


def _rising(x: Any) -> Any:
    """A matrix of the shape of ``x`` with 4, 8, 12, ... on its diagonal."""
    rows, columns = x.shape[-2:]
    return _like(x, np.eye(rows, columns) * (4 * np.arange(1, columns + 1)))


def _well_conditioned(x: Any) -> Any:
    """Small elements beside a rising diagonal: singular values and eigenvalues lie apart."""
    return x * 0.125 + _rising(x)


def _hermitian(x: Any) -> Any:
    full = _well_conditioned(x)
    return (full + _adjoint(full)) * 0.5


def _masked(mask: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda x: _well_conditioned(x) * _like(x, mask(np.ones(x.shape[-2:])))


#: What makes an operand of a random matrix (or stack of them).
PREPARATIONS: dict[str, Callable[[Any], Any]] = {
    "positive_definite": lambda x: x @ _adjoint(x) + _like(x, np.eye(x.shape[-1]) * (x.shape[-1] + 1)),
    "well_conditioned": _well_conditioned,
    "hermitian": _hermitian,
    "closed_row": lambda x: (
        x + _like(x, np.where(np.arange(x.shape[-2])[:, None] == 0, -np.inf, 0.0) * np.ones(x.shape))
    ),
    "lower_triangular": _masked(np.tril),
    "upper_triangular": _masked(np.triu),
}


def prepared(name: str | None, x: Any) -> Any:
    """The operand made of ``x``; arrays are prepared in double precision, integers left as they are.

    ``"ascending"`` puts the elements of any dtype in order along the last dimension.
    """
    if name == "ascending":
        return x.sort(-1)[0] if isinstance(x, Tensor) else np.sort(x, -1)
    if name is None or x is None or (not isinstance(x, Tensor) and x.dtype.kind in "iub"):
        return x
    if isinstance(x, Tensor):
        return PREPARATIONS[name](x)
    wide = x.astype(np.complex128 if x.dtype.kind == "c" else np.float64)
    return np.asarray(PREPARATIONS[name](wide)).astype(x.dtype)


# ------------------------------------------------------------------ outputs


def _is_inexact(x: Any) -> bool:
    if isinstance(x, Tensor):
        return x.is_floating_point() or x.is_complex()
    return isinstance(x, np.ndarray) and x.dtype.kind in "fc"


def _magnitudes(*outputs: Any) -> tuple[Any, ...]:
    """Vectors of unit length are free in their sign or phase."""
    return tuple(abs(x) if _is_inexact(x) else x for x in outputs)


def _singular(left: Any, values: Any, right: Any) -> tuple[Any, ...]:
    """Magnitudes, and the product of the singular vectors, whose signs and phases belong together."""
    count = values.shape[-1]
    return (*_magnitudes(left, values, right), left[..., :count] @ right[..., :count, :])


def _spectral(values: Any, vectors: Any) -> tuple[Any, ...]:
    """Magnitudes, and the matrix that eigenvalues and orthonormal eigenvectors make."""
    scaled = vectors * (values[..., None, :] if isinstance(values, np.ndarray) else values.unsqueeze(-2))
    return (*_magnitudes(values, vectors), scaled @ _adjoint(vectors))


def _by_order(values: Any, *vectors: Any) -> tuple[Any, ...]:
    """Eigenvalues by their real parts, and the magnitudes of the eigenvectors in their columns."""
    if isinstance(values, Tensor):
        order = values.detach().real.argsort(-1)
        at = order.unsqueeze(-2)
        return values.gather(-1, order), *(abs(v.gather(-1, at.expand(v.shape))) for v in vectors)
    order = np.argsort(values.real, -1)
    at = order[..., None, :]
    return np.take_along_axis(values, order, -1), *(abs(np.take_along_axis(v, at, -1)) for v in vectors)


#: Functions of an op's outputs that its free choices do not change.
OBSERVATIONS: dict[str, Callable[..., tuple[Any, ...]]] = {
    "magnitudes": _magnitudes,
    "singular": _singular,
    "spectral": _spectral,
    "ordered": _by_order,
    "flat": lambda first, rest: (first, *rest),
}


def observed(name: str, result: Any) -> Any:
    """What is compared of an op's result."""
    if not name:
        return result
    return OBSERVATIONS[name](*(result if isinstance(result, (tuple, list)) else (result,)))
