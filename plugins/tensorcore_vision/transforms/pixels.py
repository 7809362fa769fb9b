"""Transforms between kinds of images, and of the values of pixels by fixed numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorcore as tc
from tensorcore.errors import ShapeError
from tensorcore_vision.transforms.transform import Transform

__all__ = ["ConvertImageDtype", "LinearTransformation", "Normalize", "PILToTensor", "ToPILImage", "ToTensor"]


class ToTensor(Transform):
    """Pillow images and arrays of shape (H, W) or (H, W, C) as tensors of shape (C, H, W).

    8-bit pixels become numbers of the default dtype from 0 to 1; other dtypes keep their values. Tensors are taken as
    images of shape (C, H, W) already, and only their values are converted.

    Raises:
        TypeError: for anything else.
        ShapeError: for an array of another number of dimensions.

    Example:
        >>> import numpy
        >>> from tensorcore_vision.transforms import ToTensor
        >>> ToTensor()(numpy.array([[0, 51, 255]], dtype=numpy.uint8))
        tensor([[[0.0000, 0.2000, 1.0000]]])
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, as a tensor."""
        return self.F.to_tensor(inpt)


class PILToTensor(Transform):
    """Pillow images as tensors of shape (C, H, W) with the pixels as they are stored.

    Raises:
        TypeError: for anything else.
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, as a tensor."""
        return self.F.pil_to_tensor(inpt)


class ToPILImage(Transform):
    """Tensors of shape (C, H, W) and arrays of shape (H, W, C) as Pillow images.

    Args:
        mode: Pillow's mode; by default L, LA, RGB or RGBA by the number of channels.

    Raises:
        TypeError: for anything else, and for a dtype that Pillow has no mode for.
        ValueError: for more than four channels, or a mode that does not fit.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import ToPILImage
        >>> ToPILImage()(tc.zeros(3, 2, 4)).mode
        'RGB'
    """

    def __init__(self, mode: str | None = None) -> None:
        super().__init__()
        self.mode = mode

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, as Pillow's."""
        return self.F.to_pil_image(inpt, self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({f'mode={self.mode}' if self.mode is not None else ''})"


class ConvertImageDtype(Transform):
    """Pixels in another dtype, with black and white where they belong: 0 and 1, or 0 and the largest integer.

    Raises:
        DTypeError: for a floating dtype too coarse for all values of the integer one.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import ConvertImageDtype
        >>> ConvertImageDtype(tc.float32)(tc.tensor([0, 255], dtype=tc.uint8))
        tensor([0., 1.])
    """

    def __init__(self, dtype: tc.dtype = tc.float32) -> None:
        super().__init__()
        self.dtype = dtype

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, converted."""
        return self.F.convert_image_dtype(inpt, self.dtype)


class Normalize(Transform):
    """Each channel shifted and scaled: ``(channel - mean) / std``.

    Raises:
        ValueError: for a standard deviation of zero.
        DTypeError: for a tensor of no floating dtype.
        ShapeError: for a tensor of fewer than three dimensions or another number of channels.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import Normalize
        >>> Normalize(mean=[0.5], std=[0.25])(tc.tensor([[[0.5, 1.0]]]))
        tensor([[[0., 2.]]])
    """

    shown = ("mean", "std")

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, normalised."""
        return self.F.normalize(inpt, self.mean, self.std, self.inplace)


class LinearTransformation(Transform):
    """Whole images as vectors, shifted and multiplied by a square matrix: ``(pixels - mean_vector) @ matrix``.

    Used for whitening, with the matrix from the eigenvectors of the data's covariance.

    Raises:
        ValueError: for a matrix that is not square, or sizes, dtypes or devices that do not fit one another.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore_vision.transforms import LinearTransformation
        >>> LinearTransformation(2 * tc.eye(4), tc.ones(4))(tc.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
        tensor([[[0., 2.],
                 [4., 6.]]])
    """

    def __init__(self, transformation_matrix: tc.Tensor, mean_vector: tc.Tensor) -> None:
        super().__init__()
        matrix, mean = transformation_matrix, mean_vector
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ShapeError(f"LinearTransformation: expected a square matrix, got shape {tuple(matrix.shape)}")
        if mean.shape[0] != matrix.shape[0]:
            raise ShapeError(
                f"LinearTransformation: a matrix of shape {tuple(matrix.shape)} "
                f"does not fit a mean of shape {tuple(mean.shape)}"
            )
        if matrix.device != mean.device or matrix.dtype != mean.dtype:
            raise ValueError(
                f"LinearTransformation: the matrix is {matrix.dtype} on {matrix.device}, "
                f"the mean {mean.dtype} on {mean.device}"
            )
        self.transformation_matrix = matrix
        self.mean_vector = mean

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One image, transformed."""
        size = int(self.mean_vector.shape[0])
        if inpt.ndim < 3 or inpt.shape[-3] * inpt.shape[-2] * inpt.shape[-1] != size:
            raise ShapeError(f"LinearTransformation: expected images of {size} values, got {tuple(inpt.shape)}")
        flat = inpt.reshape(-1, size) - self.mean_vector
        return (flat @ self.transformation_matrix.to(flat.dtype)).reshape(inpt.shape)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(transformation_matrix={self.transformation_matrix.tolist()}, "
            f"mean_vector={self.mean_vector.tolist()})"
        )
