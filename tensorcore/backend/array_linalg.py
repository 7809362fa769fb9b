"""The kernels of decompositions and spectra over the ``linalg`` extension of the Array API standard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tensorcore.backend.contract import Array, Kernel
from tensorcore.dtypes import COMPLEX, DType, int32


class DecompositionKernels:
    """The part of a backend over an Array API namespace that factorises, where the namespace has the functions.

    A matrix that holds what is not finite has parts that are NaN: libraries differ in whether they raise, and the core
    names the matrix.
    """

    xp: Any
    dtype_of: Callable[[Array], DType]
    _constant: Callable[[Any, Array], Array]
    #: The kernels of these ops.
    cast: Kernel
    cat: Kernel
    copy: Kernel
    expand: Kernel
    permute: Kernel

    #: The function of the extension that each kernel needs.
    EXTENSION: ClassVar[dict[str, str]] = {
        "linalg_cholesky_ex": "cholesky", "linalg_qr": "qr", "linalg_eigh": "eigh", "linalg_eigvalsh": "eigvalsh",
        "linalg_eig": "eig", "linalg_eigvals": "eigvals", "linalg_svd": "svd", "linalg_svdvals": "svdvals",
    }  # fmt: skip

    def linalg_library(self) -> Any:
        """What has the functions of the extension; ``None`` where nothing does."""
        return getattr(self.xp, "linalg", None)

    # ---------------------------------------------------------------- parts

    def _is_complex(self, x: Array) -> bool:
        return self.dtype_of(x).category == COMPLEX

    def _adjoint(self, x: Array) -> Array:
        count = len(x.shape)
        turned = self.permute(x, dims=(*range(count - 2), count - 1, count - 2))
        return self.xp.conj(turned) if self._is_complex(x) else turned

    def _zeros(self, shape: tuple[int, ...], like: Array) -> Array:
        return self.copy(self.expand(self._constant(0, like), shape=shape))

    def _hermitian(self, x: Array, upper: bool) -> Array:
        """The matrices whose triangle is given, whole: the standard leaves open which triangle is read."""
        xp = self.xp
        triangle = xp.triu(x, k=1) if upper else xp.tril(x, k=-1)
        diagonal = xp.tril(xp.triu(x))
        if self._is_complex(x):
            diagonal = self.cast(xp.real(diagonal), dtype=self.dtype_of(x))
        return triangle + self._adjoint(triangle) + diagonal

    def _where_finite(self, function: Callable[[Array], Any], x: Array) -> tuple[Array, ...]:
        """``function`` of matrices, with zeros in place of those that are not finite, whose parts are then NaN."""
        xp = self.xp
        bad = ~xp.all(xp.isfinite(x), axis=(-2, -1))
        parts = function(xp.where(bad[..., None, None], self._constant(0, x), x))
        found = []
        for part in parts if isinstance(parts, tuple) else (parts,):
            wide = xp.reshape(bad, (*bad.shape, *(1,) * (len(part.shape) - len(bad.shape))))
            found.append(xp.where(wide, self._constant(float("nan"), part), part))
        return tuple(found)

    # ---------------------------------------------------------------- kernels

    def linalg_cholesky_ex(self, input: Array, *, upper: bool) -> tuple[Array, Array]:
        whole = self._adjoint(input) if upper else input
        try:
            factor = self.linalg_library().cholesky(self._hermitian(whole, False))
        except Exception:
            # Some libraries raise where others return NaN, and neither tells which matrix or where.
            factor = None
        if factor is not None and bool(self.xp.all(self.xp.isfinite(factor))):
            info = self.cast(self._zeros(tuple(input.shape[:-2]), input), dtype=int32)
        else:
            factor, info = self._eliminated(whole)
        return (self._adjoint(factor) if upper else factor), info

    def _eliminated(self, whole: Array) -> tuple[Array, Array]:
        """Cholesky's factors column by column, and the first leading minors that are not positive definite."""
        xp, dtype = self.xp, self.dtype_of(whole)
        rows, lead = len(whole.shape) - 2, tuple(whole.shape[:-2])
        rest, columns = whole, []
        info = self.cast(self._zeros(lead, whole), dtype=int32)
        for step in range(whole.shape[-1]):
            corner = rest[..., :1, :1]
            pivot = xp.real(corner) if self._is_complex(whole) else corner
            fails = (info == 0) & ~(pivot > 0)[..., 0, 0]
            info = xp.where(fails, self._constant(step + 1, info), info)
            broken = (info != 0)[..., None, None]
            root = self.cast(xp.sqrt(xp.where(broken, self._constant(1, pivot), pivot)), dtype=dtype)
            tail = rest[..., 1:, :1] / root
            # What was not reached is left as it was.
            old = whole[..., step:, step : step + 1]
            head = xp.where(fails[..., None, None], self.cast(pivot, dtype=dtype), old[..., :1, :])
            made = xp.where(broken, self.cat(head, old[..., 1:, :], dim=rows), self.cat(root, tail, dim=rows))
            columns.append(self.cat(self._zeros((*lead, step, 1), whole), made, dim=rows))
            rest = rest[..., 1:, 1:] - tail * self._adjoint(tail)
        return self.cat(*columns, dim=rows + 1), info

    def linalg_qr(self, A: Array, *, mode: str) -> tuple[Array, Array]:
        Q, R = self.linalg_library().qr(A, mode="reduced" if mode == "r" else mode)
        return (self._zeros((0,), A) if mode == "r" else Q), R

    def linalg_eigh(self, input: Array, *, upper: bool) -> tuple[Array, ...]:
        return self._where_finite(lambda x: tuple(self.linalg_library().eigh(self._hermitian(x, upper))), input)

    def linalg_eigvalsh(self, input: Array, *, upper: bool) -> Array:
        return self._where_finite(lambda x: self.linalg_library().eigvalsh(self._hermitian(x, upper)), input)[0]

    def linalg_eig(self, input: Array) -> tuple[Array, Array]:
        values, vectors = self.linalg_library().eig(input)
        return values, vectors

    def linalg_eigvals(self, input: Array) -> Array:
        return self.linalg_library().eigvals(input)

    def linalg_svd(self, A: Array, *, full_matrices: bool) -> tuple[Array, ...]:
        return self._where_finite(lambda x: tuple(self.linalg_library().svd(x, full_matrices=full_matrices)), A)

    def linalg_svdvals(self, A: Array) -> Array:
        return self._where_finite(lambda x: self.linalg_library().svdvals(x), A)[0]
