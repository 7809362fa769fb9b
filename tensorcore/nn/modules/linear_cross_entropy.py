"""Cross entropy of a linear map, with its weight."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from tensorcore.errors import ShapeError
from tensorcore.nn import functional as F
from tensorcore.nn.modules.linear import Linear
from tensorcore.nn.modules.module import Module
from tensorcore.tensor import Tensor

__all__ = ["LinearCrossEntropyLoss", "LinearCrossEntropyOptions"]


@dataclasses.dataclass(slots=True, frozen=True)
class LinearCrossEntropyOptions:
    """How many samples `functional.linear_cross_entropy` takes at a time, so that it never holds all scores.

    Attributes:
        batch_chunk_size: how many; or ``None``, for ``chunking_method`` to choose.
        chunking_method: ``"aspect_ratio"``: as many as make the scores about as large as the input,
            ``"aspect_ratio:n"`` an nth of that, ``"auto"`` either; ``None``: all, if ``batch_chunk_size`` is ``None``.
        allow_retain_graph, acc_policy, acc_dtype: PyTorch's. The gradients are computed in backward, which can be
            repeated and differentiated, and each part's in the dtype that cross entropy uses.

    Raises:
        ValueError: for a size that is not positive, or a method or policy that is not known.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.LinearCrossEntropyOptions(batch_chunk_size=2).rows(8, 4, 100)
        2
    """

    allow_retain_graph: bool = False
    batch_chunk_size: int | None = None
    chunking_method: str | None = "auto"
    acc_policy: str = "auto"
    acc_dtype: Any = None

    def __post_init__(self) -> None:
        if self.acc_policy not in ("auto", "accurate", "balanced", "compact"):
            raise ValueError(
                f"LinearCrossEntropyOptions: acc_policy must be 'auto', 'accurate', 'balanced' or 'compact', got "
                f"{self.acc_policy!r}"
            )
        if self.chunking_method not in (None, "auto"):
            name, colon, factor = str(self.chunking_method).partition(":")
            if name != "aspect_ratio" or (colon and not (factor.isdigit() and int(factor) > 0)):
                raise ValueError(
                    "LinearCrossEntropyOptions: chunking_method must be None, 'auto', 'aspect_ratio' or "
                    f"'aspect_ratio:n' with a positive n, got {self.chunking_method!r}"
                )
        size = self.batch_chunk_size
        if size is not None and (not isinstance(size, int) or size <= 0):
            raise ValueError(f"LinearCrossEntropyOptions: batch_chunk_size must be a positive int, got {size!r}")

    def rows(self, samples: int, width: int, classes: int) -> int:
        """How many of ``samples`` of ``width`` features are taken at a time for ``classes`` classes."""
        if self.batch_chunk_size is not None:
            return self.batch_chunk_size
        if self.chunking_method is None:
            return samples
        factor = 2 if self.chunking_method == "auto" else int(self.chunking_method.partition(":")[2] or 1)
        wanted = -(-samples // -(-classes // width))
        return int(max(1, min((1 << (wanted - 1).bit_length()) // factor, samples)))


class LinearCrossEntropyLoss(Module):
    """`CrossEntropyLoss` of a `Linear` layer that the loss owns.

    Args:
        in_features, num_classes: sides of the layer's weight.
        out_features: sides of the loss of one sample; its weight is (num_classes * their product, in_features).
        options: how many samples are taken at a time, `LinearCrossEntropyOptions`.

    Raises:
        ShapeError: for a ``weight`` that is not (num_classes).

    Example:
        >>> import tensorcore as tc
        >>> loss = tc.nn.LinearCrossEntropyLoss(4, 3)
        >>> loss(tc.ones(2, 4), tc.tensor([0, 2])).shape
        tensorcore.Size([])
    """

    def __init__(
        self, in_features: int, num_classes: int, *, out_features: tuple[int, ...] = (), bias: bool = False,
        device: Any = None, dtype: Any = None, reduction: str = "mean", weight: Tensor | None = None,
        ignore_index: int | None = None, label_smoothing: float = 0.0, options: LinearCrossEntropyOptions | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if weight is not None and tuple(weight.shape) != (num_classes,):
            raise ShapeError(
                f"LinearCrossEntropyLoss: expected a weight of shape {[num_classes]}, got {list(weight.shape)}"
            )
        if not 0 <= label_smoothing <= 1:
            raise RuntimeError(
                f"LinearCrossEntropyLoss: label_smoothing must be in the range [0, 1], got {label_smoothing}"
            )
        self.reduction = reduction
        self.register_buffer("weight", weight)
        self.num_classes = num_classes
        self.out_features = out_features
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        rows = math.prod(out_features, start=num_classes)
        self.linear = Linear(in_features, rows, bias=bias, device=device, dtype=dtype)
        self.options = options

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        sides = (self.num_classes, *self.out_features)
        return F.linear_cross_entropy(
            input, self.linear.weight.reshape(*sides, self.linear.in_features), target,
            linear_bias=None if self.linear.bias is None else self.linear.bias.reshape(sides), weight=self.weight,
            reduction=self.reduction, ignore_index=self.ignore_index, label_smoothing=self.label_smoothing,
            options=self.options,
        )  # fmt: skip

    def extra_repr(self) -> str:
        names = ("num_classes", "out_features", "bias", "reduction", "ignore_index", "label_smoothing", "options")
        values = {"bias": self.linear.bias is not None}
        shown = (f"{name}={values[name] if name in values else getattr(self, name)}" for name in names)
        return ", ".join((f"in_features={self.linear.in_features}", *shown))
