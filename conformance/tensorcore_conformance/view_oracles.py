"""NumPy's words for views by strides, copies of views, and parts replaced, with PyTorch's signatures."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["VIEW_ORACLES"]


def _as_strided(x: Any, size: Any, stride: Any, storage_offset: int = 0) -> Any:
    steps = tuple(step * x.itemsize for step in stride)
    return np.lib.stride_tricks.as_strided(x.reshape(-1)[storage_offset:], size, steps).copy()


def _as_strided_scatter(x: Any, src: Any, size: Any, stride: Any, storage_offset: int = 0) -> Any:
    out = np.array(x)
    steps = tuple(step * x.itemsize for step in stride)
    np.lib.stride_tricks.as_strided(out.reshape(-1)[storage_offset:], size, steps)[...] = src
    return out


def _slice(x: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    return x[(slice(None),) * dim + (slice(start, end, step),)]


def _windows(x: Any, dimension: int, size: int, step: int) -> Any:
    seen = np.lib.stride_tricks.sliding_window_view(x, size, dimension)
    return seen[(slice(None),) * dimension + (slice(None, None, step),)]


def _parts(x: Any, size: int, dim: int = 0) -> Any:
    return tuple(np.split(x, range(size, x.shape[dim], size), dim))


def _scattered(ufunc: Any, x: Any, index: Any, src: Any, dim: int) -> Any:
    out = np.array(x)
    places = list(np.ogrid[tuple(slice(side) for side in index.shape)])
    places[dim] = index
    ufunc.at(out, tuple(places), src)
    return out


def _extremes(x: Any, index: Any, src: Any, dim: int, largest: bool) -> Any:
    return _scattered(np.maximum if largest else np.minimum, x, index, src, dim)


#: By the name of the view, whose copy is compared.
_VIEWS = {
    "alias": lambda x: x,
    "as_strided": _as_strided,
    "detach": lambda x: x,
    "diagonal": lambda x, offset=0, dim1=0, dim2=1: np.diagonal(x, offset, dim1, dim2),
    "expand": lambda x, shape: np.broadcast_to(x, shape),
    "narrow": lambda x, dim, start, length: _slice(x, dim, start, start + length),
    "permute": np.transpose,
    "select": lambda x, dim, index: np.take(x, index, dim),
    "slice": _slice,
    "split": _parts,
    "split_with_sizes": lambda x, sizes, dim=0: tuple(np.split(x, np.cumsum(sizes)[:-1], dim)),
    "squeeze": np.squeeze,
    "t": np.transpose,
    "transpose": np.swapaxes,
    "unbind": lambda x, dim=0: tuple(np.moveaxis(x, dim, 0)),
    "unfold": _windows,
    "unsqueeze": np.expand_dims,
    "view": np.reshape,
    "view_as_complex": lambda x: x[..., 0] + 1j * x[..., 1],
    "view_as_real": lambda x: np.stack([x.real, x.imag], -1),
}

VIEW_ORACLES: dict[str, Any] = {f"{name}_copy": view for name, view in _VIEWS.items()}
VIEW_ORACLES |= {
    "as_strided": _as_strided,
    "as_strided_scatter": _as_strided_scatter,
    "chalf": lambda x: x.astype(np.complex64),
    "fill": lambda x, value: np.full_like(x, value),
    "scatter_extreme": _extremes,
    "scatter_product": lambda *args, **kwargs: _scattered(np.multiply, *args, **kwargs),
}
