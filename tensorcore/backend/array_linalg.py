"""The kernels of linear algebra over the ``linalg`` extension of the Array API standard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tensorcore.backend.contract import Array, Kernel
from tensorcore.dtypes import DType, int32


class DecompositionKernels:
    """The part of a backend over an Array API namespace that factorises, where the namespace has the functions.

    A matrix that holds what is not finite has parts that are NaN: libraries differ in whether they raise, and the core
    names the matrix.
    """

    xp: Any
    natives: dict[DType, Any]
    _constant: Callable[[int, Array], Array]
    _device_of: Callable[[Array], Any]
    #: The kernel of the op ``cat``.
    cat: Kernel

    #: The function of the extension that each kernel needs.
    EXTENSION: ClassVar[dict[str, str]] = {
        "linalg_cholesky_ex": "cholesky", "linalg_qr": "qr", "linalg_eigh": "eigh", "linalg_eigvalsh": "eigvalsh",
        "linalg_eig": "eig", "linalg_eigvals": "eigvals", "linalg_svd": "svd", "linalg_svdvals": "svdvals",
    }  # fmt: skip

    def linalg_library(self) -> Any:
        """What has the functions of the extension; ``None`` where nothing does."""
        return getattr(self.xp, "linalg", None)

    def _adjoint(self, x: Array) -> Array:
        turned = self.xp.permute_dims(x, (*range(len(x.shape) - 2), len(x.shape) - 1, len(x.shape) - 2))
        return self.xp.conj(turned) if self.xp.isdtype(x.dtype, "complex floating") else turned

    def _where_finite(self, function: Callable[[Array], Any], x: Array) -> tuple[Array, ...]:
        """``function`` of matrices, with zeros in place of those that are not finite, whose parts are then NaN."""
        xp = self.xp
        bad = ~xp.all(xp.isfinite(x), axis=(-2, -1))
        parts = function(xp.where(bad[..., None, None], self._constant(0, x), x))
        found = []
        for part in parts if isinstance(parts, tuple) else (parts,):
            wide = xp.reshape(bad, (*bad.shape, *(1,) * (len(part.shape) - len(bad.shape))))
            found.append(xp.where(wide, xp.asarray(float("nan"), dtype=part.dtype, device=self._device_of(x)), part))
        return tuple(found)

    def linalg_cholesky_ex(self, input: Array, *, upper: bool) -> tuple[Array, Array]:
        xp, native = self.xp, self.natives[int32]
        whole = self._adjoint(input) if upper else input
        try:
            factor = self.linalg_library().cholesky(self._hermitian(whole, False))
        except Exception:
            # Some libraries raise where others return NaN, and neither tells which matrix or where.
            factor = None
        if factor is None or not bool(xp.all(xp.isfinite(factor))):
            factor, info = self._eliminated(whole)
        else:
            info = xp.zeros(input.shape[:-2], dtype=native, device=self._device_of(input))
        return (self._adjoint(factor) if upper else factor), info

    def _eliminated(self, whole: Array) -> tuple[Array, Array]:
        """Cholesky's factors column by column, and the first leading minors that are not positive definite."""
        xp, native = self.xp, self.natives[int32]
        rest, columns = whole, []
        info = xp.zeros(whole.shape[:-2], dtype=native, device=self._device_of(whole))
        for step in range(whole.shape[-1]):
            corner = rest[..., :1, :1]
            pivot = xp.real(corner) if xp.isdtype(whole.dtype, "complex floating") else corner
            fails = (info == 0) & ~(pivot > 0)[..., 0, 0]
            info = info + xp.astype(fails, native) * (step + 1)
            broken = (info != 0)[..., None, None]
            root = xp.astype(xp.sqrt(xp.where(broken, self._constant(1, pivot), pivot)), whole.dtype)
            tail = rest[..., 1:, :1] / root
            # What was not reached is left as it was.
            head = xp.where(
                fails[..., None, None], xp.astype(pivot, whole.dtype), whole[..., step : step + 1, step : step + 1]
            )
            kept = self.cat(head, whole[..., step + 1 :, step : step + 1], dim=len(whole.shape) - 2)
            made = xp.where(broken, kept, self.cat(root, tail, dim=len(whole.shape) - 2))
            above = xp.zeros((*whole.shape[:-2], step, 1), dtype=whole.dtype, device=self._device_of(whole))
            columns.append(self.cat(above, made, dim=len(whole.shape) - 2))
            rest = rest[..., 1:, 1:] - tail * self._adjoint(tail)
        return self.cat(*columns, dim=len(whole.shape) - 1), info

    def linalg_qr(self, A: Array, *, mode: str) -> tuple[Array, Array]:
        Q, R = self.linalg_library().qr(A, mode="reduced" if mode == "r" else mode)
        return (self.xp.zeros((0,), dtype=A.dtype, device=self._device_of(A)) if mode == "r" else Q), R

    def _hermitian(self, x: Array, upper: bool) -> Array:
        """The matrices whose triangle is given, whole: the standard leaves open which triangle is read."""
        xp = self.xp
        triangle = xp.triu(x, k=1) if upper else xp.tril(x, k=-1)
        diagonal = xp.tril(xp.triu(x))
        if xp.isdtype(x.dtype, "complex floating"):
            diagonal = xp.astype(xp.real(diagonal), x.dtype)
        return triangle + self._adjoint(triangle) + diagonal

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
