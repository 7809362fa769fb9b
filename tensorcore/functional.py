"""The functions that PyTorch keeps in ``torch.functional``, under the same path; all are in `tensorcore` as well."""

from __future__ import annotations

from typing import Any

_NAMES = (
    "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "broadcast_shapes", "broadcast_tensors",
    "cartesian_prod", "cdist", "chain_matmul", "einsum", "istft", "lu", "meshgrid", "norm", "pca_lowrank", "split",
    "stft", "svd_lowrank", "tensordot", "unique", "unique_consecutive", "unravel_index",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    import tensorcore

    if name in _NAMES and hasattr(tensorcore, name):
        return getattr(tensorcore, name)
    raise AttributeError(f"module 'tensorcore.functional' has no attribute {name!r}")


def __dir__() -> list[str]:
    import tensorcore

    return [name for name in _NAMES if hasattr(tensorcore, name)]
