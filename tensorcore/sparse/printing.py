"""The text of a sparse tensor, as PyTorch writes it."""

from __future__ import annotations

from typing import Any

from tensorcore.dtypes import bool_, get_default_dtype, int64
from tensorcore.memory_format import sparse_coo, sparse_csr
from tensorcore.sparse.graph import without_graph
from tensorcore.tensor import Tensor

__all__ = ["format_sparse"]


def format_sparse(tensor: Tensor) -> str:
    """What ``repr(tensor)`` gives for a sparse tensor: its parts, size, number of elements and layout."""
    from tensorcore.printing import contents, device_suffix, graph_suffix, with_suffixes

    array: Any = tensor._array
    if array.layout is sparse_coo:
        named = [("indices", array.indices), ("values", array.values)]
    else:
        names = ("crow_indices", "col_indices") if array.layout is sparse_csr else ("ccol_indices", "row_indices")
        named = [(names[0], array.compressed), (names[1], array.plain), ("values", array.values)]
    indent = len("tensor(")
    pieces = []
    for name, part in named:
        prefix = f"{name}=tensor("
        with without_graph():
            text = prefix + contents(part, indent + len(prefix))
        pieces.append(f"{text})" if part.numel() else f"{text}, size={tuple(part.shape)})")
    suffixes = [*device_suffix(tensor), f"size={tuple(tensor.shape)}", f"nnz={array.values.shape[0]}"]
    default = get_default_dtype()
    if tensor.dtype not in (default, default.to_complex(), int64, bool_):
        suffixes.append(f"dtype={tensor.dtype}")
    suffixes += [f"layout={array.layout}", *graph_suffix(tensor)]
    text = "tensor(" + (",\n" + " " * indent).join(pieces)
    return with_suffixes(text, suffixes, indent, on_new_line=array.layout is sparse_coo)
