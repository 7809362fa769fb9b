"""Max poolings that always return the places beside the values, under PyTorch's names for that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tensorcore.ops import adaptive_pooling as adaptive
from tensorcore.ops import pooling
from tensorcore.ops.record import composite

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor

_F: Final = ("nn.functional",)
_BOTH: Final = ("", "nn.functional")


def _samples(ndim: int) -> Any:
    return ({"shapes": ((2, 3, *(6, 5, 4)[:ndim]),), "args": (2,)},)


@composite(namespaces=_BOTH, samples=_samples(1), ulp=0)
def max_pool1d_with_indices(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """`max_pool1d`, and where along the side each largest element is.

    >>> tc.nn.functional.max_pool1d_with_indices(tc.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    (tensor([[3., 2.]]), tensor([[1, 2]]))
    """
    return pooling.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


@composite(namespaces=_F, samples=_samples(2), ulp=0)
def max_pool2d_with_indices(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """`max_pool2d`, and where in the flattened sides each largest element is.

    >>> tc.nn.functional.max_pool2d_with_indices(tc.tensor([[[1.0, 3.0], [2.0, 0.0]]]), 2)
    (tensor([[[3.]]]), tensor([[[1]]]))
    """
    return pooling.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


@composite(namespaces=_F, samples=_samples(3), ulp=0)
def max_pool3d_with_indices(
    input: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """`max_pool3d`, and where in the flattened sides each largest element is.

    >>> tc.nn.functional.max_pool3d_with_indices(tc.ones(1, 2, 2, 2), 2)[1]
    tensor([[[[0]]]])
    """
    return pooling.max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode, True)


# At the top level PyTorch's `adaptive_max_pool1d` gives both, in `nn.functional` the values alone.
@composite(namespaces=_F, aliases=(".adaptive_max_pool1d",), samples=_samples(1), ulp=0)
def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool1d`, and where along the side each largest element is.

    >>> tc.nn.functional.adaptive_max_pool1d_with_indices(tc.tensor([[1.0, 3.0, 2.0, 0.0]]), 1)
    (tensor([[3.]]), tensor([[1]]))
    """
    return adaptive.adaptive_max_pool1d(input, output_size, True)


@composite(namespaces=_F, samples=_samples(2), ulp=0)
def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool2d`, and where in the flattened sides each largest element is.

    >>> tc.nn.functional.adaptive_max_pool2d_with_indices(tc.tensor([[[1.0, 3.0], [2.0, 0.0]]]), 1)
    (tensor([[[3.]]]), tensor([[[1]]]))
    """
    return adaptive.adaptive_max_pool2d(input, output_size, True)


@composite(namespaces=_F, samples=_samples(3), ulp=0)
def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: Any, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """`adaptive_max_pool3d`, and where in the flattened sides each largest element is.

    >>> tc.nn.functional.adaptive_max_pool3d_with_indices(tc.ones(1, 2, 2, 2), 1)[1]
    tensor([[[[0]]]])
    """
    return adaptive.adaptive_max_pool3d(input, output_size, True)


__all__ = ["max_pool1d_with_indices", "max_pool2d_with_indices", "max_pool3d_with_indices"]
