"""The named tuples that ops return, by PyTorch's names of their classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tensorcore.ops.returns import named

__all__ = ["named_results"]

#: Fields, and the ops that return them.
_FIELDS: Final = {
    "values indices": "cummax cummin kthvalue max median min mode nanmedian sort topk",
    "min max": "aminmax",
    "mantissa exponent": "frexp",
    "hist bin_edges": "histogram histogramdd",
    "sign logabsdet": "slogdet linalg_slogdet",
    "eigenvalues eigenvectors": "linalg_eig linalg_eigh",
    "U S V": "svd",
    "U S Vh": "linalg_svd",
    "Q R": "qr linalg_qr",
    "P L U": "lu_unpack linalg_lu",
    "LU pivots": "linalg_lu_factor",
    "LU pivots info": "linalg_lu_factor_ex _lu_with_info",
    "LD pivots": "linalg_ldl_factor",
    "LD pivots info": "linalg_ldl_factor_ex",
    "L info": "linalg_cholesky_ex",
    "inverse info": "linalg_inv_ex",
    "result info": "linalg_solve_ex",
    "solution residuals rank singular_values": "linalg_lstsq",
    "solution cloned_coefficient": "triangular_solve",
    "a tau": "geqrf",
}


def named_results() -> dict[str, Callable[..., Any]]:
    """What makes the tuples, by the names of PyTorch's classes."""
    return {
        f"torch.return_types.{op}": _maker(op, fields.split()) for fields, ops in _FIELDS.items() for op in ops.split()
    }


def _maker(op: str, fields: list[str]) -> Callable[..., Any]:
    def make(values: Any, unnamed: Any = None) -> Any:
        if type(values) is not tuple or len(values) != len(fields) or unnamed:
            raise TypeError(f"{op} returns {len(fields)} values")
        return named(op, **dict(zip(fields, values, strict=True)))

    return make
