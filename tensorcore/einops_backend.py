"""How einops reads tensors: its backend class for them, which exists once this module is imported (see `adapters`)."""

from __future__ import annotations

from typing import Any

from einops._backends import AbstractBackend

import tensorcore
from tensorcore.tensor import Tensor


class TensorcoreBackend(AbstractBackend):  # type: ignore[misc]
    """Tensors for einops; the methods are those that it asks for."""

    framework_name = "tensorcore"

    def is_appropriate_type(self, tensor: Any) -> bool:
        return isinstance(tensor, Tensor)

    def from_numpy(self, x: Any) -> Tensor:
        return tensorcore.from_numpy(x)

    def to_numpy(self, x: Tensor) -> Any:
        return x.numpy(force=True)

    def arange(self, start: int, stop: int) -> Tensor:
        return tensorcore.arange(start, stop)

    def reduce(self, x: Tensor, operation: str, axes: Any) -> Tensor:
        return getattr(tensorcore.array_api, operation)(x, axis=tuple(axes))

    def transpose(self, x: Tensor, axes: Any) -> Tensor:
        return x.permute(tuple(axes))

    def stack_on_zeroth_dimension(self, tensors: list[Tensor]) -> Tensor:
        return tensorcore.stack(tensors)

    def add_axis(self, x: Tensor, new_position: int) -> Tensor:
        return x.unsqueeze(new_position)

    def add_axes(self, x: Tensor, n_axes: int, pos2len: dict[int, int]) -> Tensor:
        sides = [-1] * n_axes
        for place, side in pos2len.items():
            x = x.unsqueeze(place)
            sides[place] = side
        return x.expand(sides)

    def tile(self, x: Tensor, repeats: Any) -> Tensor:
        return x.repeat(repeats)

    def concat(self, tensors: list[Tensor], axis: int) -> Tensor:
        return tensorcore.cat(tensors, axis)

    def is_float_type(self, x: Tensor) -> bool:
        return x.is_floating_point()

    def layers(self) -> Any:
        from tensorcore import einops

        return einops

    def einsum(self, pattern: str, *x: Tensor) -> Tensor:
        return tensorcore.einsum(pattern, *x)
