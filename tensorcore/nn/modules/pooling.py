"""Pooling over windows: maxima, averages, power averages; with windows given or fitted to the output."""

from __future__ import annotations

from typing import Any

from tensorcore.nn import functional as F
from tensorcore.nn.modules.module import Module
from tensorcore.nn.modules.sizes import per_dimension
from tensorcore.tensor import Tensor

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d",
    "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
]  # fmt: skip


# ------------------------------------------------------------------ maxima


class _MaxPoolNd(Module):
    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def _window(self) -> dict[str, Any]:
        return {"ceil_mode": self.ceil_mode, "return_indices": self.return_indices}

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """Largest element of each window of (N, C, L) or (C, L); with ``return_indices`` also where it was.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.MaxPool1d(2)(tc.tensor([[1.0, 3.0, 2.0, 0.0]]))
        tensor([[3., 2.]])
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool1d(input, self.kernel_size, self.stride, self.padding, self.dilation, **self._window())


class MaxPool2d(_MaxPoolNd):
    """Largest element of each window of (N, C, H, W) or (C, H, W); with ``return_indices`` also where it was.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.MaxPool2d(3, stride=2)(tc.ones(2, 4, 9, 9)).shape
        tensorcore.Size([2, 4, 4, 4])
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool2d(input, self.kernel_size, self.stride, self.padding, self.dilation, **self._window())


class MaxPool3d(_MaxPoolNd):
    """Largest element of each window of (N, C, D, H, W) or (C, D, H, W); with ``return_indices`` also where it was.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.MaxPool3d(2)(tc.ones(1, 2, 4, 4, 4)).shape
        tensorcore.Size([1, 2, 2, 2, 2])
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool3d(input, self.kernel_size, self.stride, self.padding, self.dilation, **self._window())


# ------------------------------------------------------------------ back to where the maxima were


class _MaxUnpoolNd(Module):
    _rank: int

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        self.kernel_size = per_dimension(kernel_size, self._rank)
        self.stride = per_dimension(kernel_size if stride is None else stride, self._rank)
        self.padding = per_dimension(padding, self._rank)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """The maxima that `MaxPool1d` returned with their indices, put back where they were, zeros elsewhere.

    Example:
        >>> import tensorcore as tc
        >>> pooled, places = tc.nn.MaxPool1d(2, return_indices=True)(tc.tensor([[1.0, 3.0, 2.0, 0.0]]))
        >>> tc.nn.MaxUnpool1d(2)(pooled, places)
        tensor([[0., 3., 2., 0.]])
    """

    _rank = 1

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        return F.max_unpool1d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(_MaxUnpoolNd):
    """The maxima that `MaxPool2d` returned with their indices, put back where they were, zeros elsewhere.

    Example:
        >>> import tensorcore as tc
        >>> pooled, places = tc.nn.MaxPool2d(2, return_indices=True)(tc.ones(1, 3, 4, 4))
        >>> tc.nn.MaxUnpool2d(2)(pooled, places).shape
        tensorcore.Size([1, 3, 4, 4])
    """

    _rank = 2

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        return F.max_unpool2d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool3d(_MaxUnpoolNd):
    """The maxima that `MaxPool3d` returned with their indices, put back where they were, zeros elsewhere.

    Example:
        >>> import tensorcore as tc
        >>> pooled, places = tc.nn.MaxPool3d(2, return_indices=True)(tc.ones(1, 1, 4, 4, 4))
        >>> tc.nn.MaxUnpool3d(2)(pooled, places, output_size=(1, 1, 5, 4, 4)).shape
        tensorcore.Size([1, 1, 5, 4, 4])
    """

    _rank = 3

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        return F.max_unpool3d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


# ------------------------------------------------------------------ averages


class _AvgPoolNd(Module):
    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """Average of each window of (N, C, L) or (C, L).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.AvgPool1d(2)(tc.tensor([[1.0, 3.0, 2.0, 0.0]]))
        tensor([[2., 1.]])
    """

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = per_dimension(kernel_size, 1)
        self.stride = per_dimension(kernel_size if stride is None else stride, 1)
        self.padding = per_dimension(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class _AvgPoolWithDivisor(_AvgPoolNd):
    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def _window(self) -> tuple[Any, ...]:
        return (
            self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )  # fmt: skip


class AvgPool2d(_AvgPoolWithDivisor):
    """Average of each window of (N, C, H, W) or (C, H, W).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.AvgPool2d(2)(tc.ones(1, 1, 4, 4))
        tensor([[[[1., 1.],
                  [1., 1.]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool2d(input, *self._window())


class AvgPool3d(_AvgPoolWithDivisor):
    """Average of each window of (N, C, D, H, W) or (C, D, H, W).

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.AvgPool3d(2)(tc.ones(1, 1, 4, 4, 4)).shape
        tensorcore.Size([1, 1, 2, 2, 2])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool3d(input, *self._window())


class _LPPoolNd(Module):
    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def _window(self) -> tuple[Any, ...]:
        return float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """``sum(x ** p) ** (1 / p)`` of each window of (N, C, L) or (C, L), where p is ``norm_type``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LPPool1d(2, 2)(tc.tensor([[3.0, 4.0]]))
        tensor([[5.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool1d(input, *self._window())


class LPPool2d(_LPPoolNd):
    """``sum(x ** p) ** (1 / p)`` of each window of (N, C, H, W) or (C, H, W), where p is ``norm_type``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LPPool2d(2, 2)(tc.ones(1, 1, 2, 2)).item()
        2.0
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool2d(input, *self._window())


class LPPool3d(_LPPoolNd):
    """``sum(x ** p) ** (1 / p)`` of each window of (N, C, D, H, W) or (C, D, H, W), where p is ``norm_type``.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LPPool3d(1, 2)(tc.ones(1, 1, 2, 2, 2)).item()
        8.0
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool3d(input, *self._window())


# ------------------------------------------------------------------ windows fitted to the output


class _AdaptivePoolNd(Module):
    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class _AdaptiveAvgPoolNd(_AdaptivePoolNd):
    pass


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """Averages of ``output_size`` windows of nearly equal size that cover L.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.AdaptiveAvgPool1d(2)(tc.tensor([[1.0, 3.0, 2.0, 0.0]]))
        tensor([[2., 1.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """Averages of windows that cover H and W; an entry of ``output_size`` that is ``None`` keeps the input's.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.AdaptiveAvgPool2d((1, None))(tc.ones(2, 3, 8, 9)).shape
        tensorcore.Size([2, 3, 1, 9])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """Averages of windows that cover D, H and W.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.AdaptiveAvgPool3d(1)(tc.ones(2, 3, 4, 5, 6)).shape
        tensorcore.Size([2, 3, 1, 1, 1])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool3d(input, self.output_size)


class _AdaptiveMaxPoolNd(_AdaptivePoolNd):
    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """Maxima of ``output_size`` windows of nearly equal size that cover L.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.AdaptiveMaxPool1d(2)(tc.tensor([[1.0, 3.0, 2.0, 0.0]]))
        tensor([[3., 2.]])
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """Maxima of windows that cover H and W.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.AdaptiveMaxPool2d((5, None))(tc.ones(2, 3, 8, 9)).shape
        tensorcore.Size([2, 3, 5, 9])
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """Maxima of windows that cover D, H and W.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.AdaptiveMaxPool3d(2)(tc.ones(2, 3, 4, 5, 6)).shape
        tensorcore.Size([2, 3, 2, 2, 2])
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)
