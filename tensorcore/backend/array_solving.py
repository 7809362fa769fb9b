"""The kernels of solves and determinants over the ``linalg`` extension of the Array API standard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tensorcore.backend.contract import Array
from tensorcore.dtypes import DType, int32
from tensorcore.shapes import broadcast_shapes


class SolvingKernels:
    """The part of a backend over an Array API namespace that solves, where the namespace has the functions.

    A singular matrix has NaN for its solution: libraries differ in whether they raise, and the core names the matrix.
    """

    xp: Any
    natives: dict[DType, Any]
    _constant: Callable[[int, Array], Array]
    _device_of: Callable[[Array], Any]
    as_array: Callable[[Any], Array]
    linalg_library: Callable[[], Any]

    #: The function of the extension that each kernel needs.
    EXTENSION: ClassVar[dict[str, str]] = {
        "linalg_solve_ex": "solve", "linalg_inv_ex": "inv", "linalg_det": "det", "linalg_slogdet": "slogdet",
    }  # fmt: skip

    def linalg_solve_ex(self, A: Array, B: Array) -> tuple[Array, Array]:
        # Not all libraries broadcast the stacks.
        lead = tuple(broadcast_shapes(A.shape[:-2], B.shape[:-2]))
        right = self.xp.broadcast_to(B, lead + tuple(B.shape[-2:]))
        shape = lead + tuple(A.shape[-2:])
        solve = self.linalg_library().solve
        return self._where_regular(A, lambda x: solve(self.xp.broadcast_to(x, shape), right))

    def linalg_inv_ex(self, A: Array) -> tuple[Array, Array]:
        return self._where_regular(A, self.linalg_library().inv)

    def _where_regular(self, A: Array, function: Callable[[Array], Array]) -> tuple[Array, Array]:
        """``function`` of matrices that must not be singular, NaN for those that are, and their first zero pivots."""
        xp, native = self.xp, self.natives[int32]
        try:
            result = function(A)
        except Exception:
            result = None  # some libraries raise, and do not tell which matrix it is
        none = xp.zeros_like(xp.any(A != A, axis=(-2, -1)), dtype=native)
        if result is not None and bool(xp.all(xp.isfinite(result))):
            return result, none
        singular = self.linalg_library().slogdet(A)[0] == 0
        one = xp.tril(xp.triu(xp.ones_like(A)))
        result = function(xp.where(singular[..., None, None], one, A))
        info = xp.where(singular, self._first_zero(A, none), none)
        return xp.where(singular[..., None, None], xp.full_like(result, float("nan")), result), info

    def _counted(self, count: int, like: Array) -> Array:
        """The numbers from 0 on the device of ``like``."""
        return self.xp.arange(count, device=self._device_of(like))

    def _first_zero(self, A: Array, info: Array) -> Array:
        """The number, from 1, of the first pivot that is zero in each matrix, or their side where rounding hides it."""
        xp, rest = self.xp, A
        for step in range(A.shape[-1]):
            best = xp.argmax(xp.abs(rest[..., 0]), axis=-1)
            chosen = (self._counted(rest.shape[-2], rest) == best[..., None])[..., None]
            row = xp.sum(xp.where(chosen, rest, self._constant(0, rest)), axis=-2, keepdims=True)
            corner = row[..., :1]
            zero = corner == 0
            info = xp.where((info == 0) & zero[..., 0, 0], self._constant(step + 1, info), info)
            # The first row takes the place of the pivot's.
            rest = xp.where(chosen, rest[..., :1, :], rest)[..., 1:, :]
            rest = rest[..., 1:] - rest[..., :1] / xp.where(zero, self._constant(1, corner), corner) * row[..., 1:]
        return xp.where(info == 0, self._constant(A.shape[-1], info), info)

    def linalg_det(self, A: Array) -> Array:
        return self.linalg_library().det(A)

    def linalg_slogdet(self, A: Array) -> tuple[Array, Array]:
        # The result of one matrix may be a scalar of the library's, which is no array.
        sign, size = self.linalg_library().slogdet(A)
        return self.as_array(sign), self.as_array(size)
