"""Parametrisations of weights: by direction and length, of norm 1, orthogonal."""

from __future__ import annotations

from typing import Any

from tensorcore import linalg
from tensorcore.autograd.mode import no_grad
from tensorcore.dtypes import COMPLEX, finfo
from tensorcore.errors import DimensionError
from tensorcore.nn import functional as F
from tensorcore.nn.modules.module import Module
from tensorcore.nn.utils import parametrize
from tensorcore.nn.utils.weight_norm import normed, scaled
from tensorcore.ops.linalg import mv
from tensorcore.ops.movement import cat
from tensorcore.ops.orthogonal import geqrf
from tensorcore.ops.random import randn
from tensorcore.ops.ranges import eye
from tensorcore.tensor import Tensor

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return scaled(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return normed(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Let ``module.<name>`` be a length times a direction, for each place along ``dim`` (Salimans and Kingma 2016).

    The lengths are ``parametrizations.<name>.original0``, the directions ``original1``.

    Example:
        >>> import tensorcore as tc
        >>> layer = tc.nn.utils.parametrizations.weight_norm(tc.nn.Linear(2, 3))
        >>> layer.parametrizations.weight.original0.shape
        tensorcore.Size([3, 1])
    """
    parametrize.register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def renamed(state_dict: Any, prefix: str, *rest: Any) -> None:
        # What `nn.utils.weight_norm` saved.
        for old, new in (("_g", "original0"), ("_v", "original1")):
            if f"{prefix}{name}{old}" in state_dict:
                state_dict[f"{prefix}parametrizations.{name}.{new}"] = state_dict.pop(f"{prefix}{name}{old}")

    module._register_load_state_dict_pre_hook(renamed)
    return module


class _SpectralNorm(Module):
    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise DimensionError(f"spectral_norm: dimension {dim} is out of range for shape {list(weight.shape)}")
        if n_power_iterations <= 0:
            raise ValueError(f"spectral_norm: n_power_iterations must be positive, got {n_power_iterations}")
        self.dim = dim % weight.ndim
        self.eps = eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            with no_grad():
                matrix = self._matrix(weight)
                for name, side in zip(("_u", "_v"), matrix.shape, strict=True):
                    self.register_buffer(name, F.normalize(matrix.new_empty(side).normal_(0, 1), dim=0, eps=eps))
                self._iterate(matrix, 15)

    def _matrix(self, weight: Tensor) -> Any:
        return weight.movedim(self.dim, 0).flatten(1)

    def _iterate(self, matrix: Tensor, count: int) -> None:
        """The power method: ``_u`` and ``_v`` brought nearer to the first singular vectors, in place."""
        with no_grad():
            for _ in range(count):
                self._u.copy_(F.normalize(mv(matrix, self._v), dim=0, eps=self.eps))
                self._v.copy_(F.normalize(mv(matrix.mH, self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        # Copies, so that backward through two forward passes reads each pass's own vectors.
        u, v = self._u.clone(), self._v.clone()
        return weight / (u.conj() * mv(matrix, v)).sum()

    def right_inverse(self, value: Tensor) -> Tensor:
        # A weight divided already stays as it is.
        return value


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    """Let ``module.<name>`` be divided by its largest singular value, found by the power method (Miyato et al. 2018).

    ``dim`` is the side of outputs: 1 for transposed convolutions, 0 for others.

    Raises:
        ValueError: if there is no such tensor.

    Example:
        >>> import tensorcore as tc
        >>> layer = tc.nn.utils.parametrizations.spectral_norm(tc.nn.Linear(2, 3))
        >>> layer.parametrizations.weight.original.shape
        tensorcore.Size([3, 2])
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"spectral_norm: {type(module).__name__} has no parameter or buffer {name!r}")
    if dim is None:
        dim = 1 if type(module).__name__.removeprefix("Parametrized").startswith("ConvTranspose") else 0
    made = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return parametrize.register_parametrization(module, name, made)


# ------------------------------------------------------------------ orthogonal


def _orthonormal(a: Any) -> Any:
    """The orthogonal factor of ``a`` whose triangular one has a positive diagonal."""
    reflectors, tau = geqrf(a)
    q = linalg.householder_product(reflectors, tau)
    return q * reflectors.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


class _Orthogonal(Module):
    base: Tensor

    def __init__(self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        if weight.dtype.category == COMPLEX and orthogonal_map == "householder":
            raise ValueError("orthogonal: the householder map does not take complex tensors")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.shape[-2] < x.shape[-1]
        x = x.mT if wide else x
        rows, columns = x.shape[-2:]
        if self.orthogonal_map == "householder":
            reflectors = x.tril(-1)
            tau = 2.0 / (1.0 + (reflectors * reflectors).sum(-2))
            # The signs on the diagonal are no parameters.
            q = linalg.householder_product(reflectors, tau) * x.detach().diagonal(dim1=-2, dim2=-1).trunc().unsqueeze(
                -2
            )
        else:
            lower = x.tril()
            if rows != columns:
                lower = cat((lower, x.new_zeros((*x.shape[:-2], rows, rows - columns))), -1)
            skew = lower - lower.mH
            if self.orthogonal_map == "matrix_exp":
                q = linalg.matrix_exp(skew)
            else:
                one = eye(rows, dtype=x.dtype, device=x.device)
                q = linalg.solve(one - skew * 0.5, one + skew * 0.5)
            q = q[..., :columns]
        if hasattr(self, "base"):
            q = self.base @ q
        return q.mT if wide else q

    def right_inverse(self, value: Tensor) -> Tensor:
        if value.shape != self.shape:
            raise ValueError(f"orthogonal: expected a tensor of shape {list(self.shape)}, got {list(value.shape)}")
        with no_grad():
            wide = value.shape[-2] < value.shape[-1]
            q = value.mT if wide else value
            rows, columns = q.shape[-2:]
            if not hasattr(self, "base"):
                if self.orthogonal_map != "householder":
                    raise NotImplementedError(
                        f"orthogonal: a tensor cannot be assigned to the map {self.orthogonal_map!r} with "
                        "use_trivialization=False"
                    )
                return self._reflectors(q, wide)
            if rows != columns:
                more = randn(*q.shape[:-2], rows, rows - columns, dtype=q.dtype, device=q.device)
                self.base = _orthonormal(cat((q, more), -1))
            else:
                one = eye(rows, dtype=q.dtype, device=q.device)
                near = ((q.mH @ q - one).abs() <= 10.0 * rows * finfo(q.dtype).eps + 1e-5 * one.abs()).all()
                self.base = q.clone() if bool(near) else _orthonormal(q)
            # Of -1 on the diagonal every map makes the identity.
            diagonal = eye(*value.shape[-2:], dtype=value.dtype, device=value.device)
            return (-diagonal).expand(value.shape).clone()

    @staticmethod
    def _reflectors(q: Any, wide: bool) -> Any:
        reflectors, tau = geqrf(q)
        signs = reflectors.diagonal(dim1=-2, dim2=-1).sgn()
        # A reflector that LAPACK left out turns nothing round.
        signs = signs.where(tau != 0, -signs)
        diagonal = signs.diag_embed()
        rows, columns = reflectors.shape[-2:]
        if rows != columns:
            diagonal = cat((diagonal, diagonal.new_zeros((*diagonal.shape[:-2], rows - columns, columns))), -2)
        made = reflectors.tril(-1) + reflectors.triu(1) + diagonal
        return made.mT if wide else made


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Let ``module.<name>``, a matrix or a batch of them, be orthogonal or unitary.

    Args:
        orthogonal_map: ``"matrix_exp"`` of a skew matrix, ``"cayley"``, or ``"householder"``; by default the first for
            square and complex matrices, else the last (Lezcano-Casado 2019).
        use_trivialization: whether the result is multiplied by a fixed orthogonal matrix, so that any value can be
            assigned.

    Raises:
        ValueError: if there is no such tensor, it is no matrix, or the map is not known.

    Example:
        >>> import tensorcore as tc
        >>> layer = tc.nn.utils.parametrizations.orthogonal(tc.nn.Linear(3, 3))
        >>> tc.allclose(layer.weight.T @ layer.weight, tc.eye(3), atol=1e-5)
        True
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"orthogonal: {type(module).__name__} has no parameter or buffer {name!r}")
    if weight.ndim < 2:
        raise ValueError(f"orthogonal: expected a matrix or a batch of them, got shape {list(weight.shape)}")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1] or weight.dtype.category == COMPLEX
        orthogonal_map = "matrix_exp" if square else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(
            f"orthogonal: orthogonal_map must be 'matrix_exp', 'cayley' or 'householder', got {orthogonal_map!r}"
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return parametrize.register_parametrization(module, name, made, unsafe=True)
