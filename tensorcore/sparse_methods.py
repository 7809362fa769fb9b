"""Methods of Tensor that concern sparse layouts; what they do is imported when first called (`tensorcore.sparse`)."""

from __future__ import annotations

from typing import Any

from tensorcore.compile.capture import reading
from tensorcore.errors import LayoutError
from tensorcore.memory_format import sparse_coo, sparse_csc, sparse_csr, strided

__all__ = ["SparseMethods", "sparse_constant", "sparse_like", "strided"]


class SparseMethods:
    """What a tensor says of its layout, and how it takes another; a base class of Tensor."""

    __slots__ = ()

    _array: Any
    _kind: Any

    @property
    def layout(self) -> Any:
        """How elements are stored: `strided`, or a sparse layout."""
        kind = self._kind
        return kind.layout if kind.sparse else strided

    @property
    def is_sparse(self) -> bool:
        """Whether the layout is ``sparse_coo``."""
        return self._kind.sparse and self._kind.layout is sparse_coo

    @property
    def is_sparse_csr(self) -> bool:
        """Whether the layout is ``sparse_csr``."""
        return self._kind.sparse and self._kind.layout is sparse_csr

    def to_dense(self, dtype: Any = None, *, masked_grad: bool | None = None) -> Any:
        """The tensor with all its elements written out; a dense tensor itself (`sparse.to_dense`)."""
        if not self._kind.sparse and dtype is None:
            return self
        from tensorcore.sparse.conversion import to_dense

        return to_dense(self, dtype, masked_grad=masked_grad)  # type: ignore[arg-type]

    def to_sparse(self, sparse_dim: Any = None, *, layout: Any = None, blocksize: Any = None, dense_dim: Any = None
                  ) -> Any:  # fmt: skip
        """The tensor in a sparse layout: COO, or ``layout``; ``sparse_dim`` is how many dimensions COO makes sparse.

        Raises:
            DimensionError: for a ``sparse_dim`` the tensor does not have.
            LayoutError: for a layout that is none of ``sparse_coo``, ``sparse_csr`` and ``sparse_csc``.
        """
        if blocksize is not None or dense_dim:
            raise LayoutError("to_sparse: layouts of blocks, and compressed ones with dense dimensions, do not exist")
        from tensorcore.sparse.conversion import to_sparse

        return to_sparse(self, sparse_dim, layout=layout)  # type: ignore[arg-type]

    def to_sparse_coo(self) -> Any:
        """The tensor in the layout COO."""
        return self.to_sparse()

    def to_sparse_csr(self, dense_dim: int | None = None) -> Any:
        """A matrix in the layout CSR: row by row."""
        return self._compressed(sparse_csr, dense_dim)

    def to_sparse_csc(self, dense_dim: int | None = None) -> Any:
        """A matrix in the layout CSC: column by column."""
        return self._compressed(sparse_csc, dense_dim)

    def _compressed(self, layout: Any, dense_dim: int | None) -> Any:
        if dense_dim:
            raise LayoutError(f"{layout!r} has no dense dimensions here, got dense_dim {dense_dim}")
        from tensorcore.sparse.conversion import to_compressed

        return to_compressed(self, layout)  # type: ignore[arg-type]

    def sparse_mask(self, mask: Any) -> Any:
        """The elements at the places of the sparse tensor ``mask``."""
        from tensorcore.sparse.parts import sparse_mask

        return sparse_mask(self, mask)  # type: ignore[arg-type]

    def coalesce(self) -> Any:
        """A COO tensor with sorted, distinct coordinates, equal ones added up; itself where they are."""
        from tensorcore.sparse.conversion import coalesced

        self._require("coalesce", sparse_coo)
        return coalesced(self)  # type: ignore[arg-type]

    def is_coalesced(self) -> bool:
        """Whether the coordinates of a COO tensor are known to be sorted and distinct."""
        return bool(self._require("is_coalesced", sparse_coo).coalesced)

    def indices(self) -> Any:
        """The coordinates of a coalesced COO tensor, of shape (sparse dims, count)."""
        return self._coalesced("indices").indices.detach()

    def values(self) -> Any:
        """The elements stored by a coalesced COO tensor, or a compressed one, in its graph."""
        from tensorcore.sparse.graph import values_of

        if self._require("values").layout is sparse_coo:
            self._coalesced("values")
        return values_of(self)  # type: ignore[arg-type]

    def _indices(self) -> Any:
        """The coordinates of a COO tensor as they are stored."""
        return self._require("_indices", sparse_coo).indices.detach()

    def _values(self) -> Any:
        """The elements of a sparse tensor as they are stored, outside the graph."""
        return self._require("_values").values.detach()

    def _nnz(self) -> int:
        """How many elements a sparse tensor stores."""
        return int(self._require("_nnz").values.shape[0])

    def crow_indices(self) -> Any:
        """Where each row of a CSR matrix begins, and the end."""
        return self._require("crow_indices", sparse_csr).compressed.detach()

    def col_indices(self) -> Any:
        """The column of each element of a CSR matrix."""
        return self._require("col_indices", sparse_csr).plain.detach()

    def ccol_indices(self) -> Any:
        """Where each column of a CSC matrix begins, and the end."""
        return self._require("ccol_indices", sparse_csc).compressed.detach()

    def row_indices(self) -> Any:
        """The row of each element of a CSC matrix."""
        return self._require("row_indices", sparse_csc).plain.detach()

    def sparse_dim(self) -> int:
        """How many dimensions are sparse; of a dense tensor none."""
        if not self._kind.sparse:
            return 0
        return int(self._array.indices.shape[0]) if self._array.layout is sparse_coo else 2

    def dense_dim(self) -> int:
        """How many dimensions are dense; of a dense tensor all."""
        return len(self._array.shape) - self.sparse_dim()

    def sparse_resize_(self, size: Any, sparse_dim: int, dense_dim: int) -> Any:
        """Give a COO tensor another size in place, which must hold what it stores."""
        from tensorcore.sparse.parts import sparse_resize_

        return sparse_resize_(self, size, sparse_dim, dense_dim)  # type: ignore[arg-type]

    def sparse_resize_and_clear_(self, size: Any, sparse_dim: int, dense_dim: int) -> Any:
        """Give a COO tensor another size in place, and forget what it stores."""
        from tensorcore.sparse.parts import sparse_resize_

        return sparse_resize_(self, size, sparse_dim, dense_dim, clear=True)  # type: ignore[arg-type]

    def smm(self, mat: Any) -> Any:
        """A sparse matrix times a dense one as a sparse matrix (`tensorcore.smm`)."""
        from tensorcore.sparse.products import smm

        return smm(self, mat)  # type: ignore[arg-type]

    def sspaddmm(self, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
        """``beta * self + alpha * (mat1 @ mat2)`` as a sparse matrix (`tensorcore.sspaddmm`)."""
        from tensorcore.sparse.products import sspaddmm

        return sspaddmm(self, mat1, mat2, beta=beta, alpha=alpha)  # type: ignore[arg-type]

    def _require(self, name: str, *layouts: Any) -> Any:
        """The sparse array, of one of ``layouts``."""
        kind = self._kind
        if not kind.sparse or (layouts and kind.layout not in layouts):
            wanted = " or ".join(str(each) for each in layouts) or "a sparse layout"
            raise LayoutError(f"{name}: expected {wanted}, got a tensor of layout {self.layout}")
        reading(self, name)
        return self._array

    def _coalesced(self, name: str) -> Any:
        array = self._require(name, sparse_coo)
        if not array.coalesced:
            raise LayoutError(f"{name}: equal coordinates are not added up yet; call .coalesce() first, or ._{name}()")
        return array


def sparse_constant(*args: Any) -> Any:
    """A tensor of zeros in the sparse layout that a creation function was given (`sparse.construction.constant`)."""
    from tensorcore.sparse.construction import constant

    return constant(*args)


def sparse_like(*args: Any) -> Any:
    """Zeros like a sparse tensor (`sparse.construction.like`)."""
    from tensorcore.sparse.construction import like

    return like(*args)
