"""einops' layers as modules: what ``einops.layers.torch`` is for PyTorch. Needs the package einops.

Example:
    >>> import tensorcore as tc
    >>> from tensorcore.einops import Rearrange
    >>> model = tc.nn.Sequential(Rearrange("b c h w -> b (c h w)"), tc.nn.Linear(12, 2))
    >>> model(tc.zeros(5, 3, 2, 2)).shape
    tensorcore.Size([5, 2])
"""

from __future__ import annotations

from typing import Any

from einops.layers import RearrangeMixin, ReduceMixin
from einops.layers._einmix import _EinmixMixin

import tensorcore
from tensorcore import nn
from tensorcore.tensor import Tensor

__all__ = ["EinMix", "Rearrange", "Reduce"]


class _Pickled:
    # einops' layers pickle their arguments alone, which would drop hooks and modes.
    __getstate__ = nn.Module.__getstate__
    __setstate__ = nn.Module.__setstate__


class Rearrange(_Pickled, RearrangeMixin, nn.Module):  # type: ignore[misc]
    """`einops.rearrange` as a layer."""

    def forward(self, input: Tensor) -> Tensor:
        return self._apply_recipe(input)


class Reduce(_Pickled, ReduceMixin, nn.Module):  # type: ignore[misc]
    """`einops.reduce` as a layer."""

    def forward(self, input: Tensor) -> Tensor:
        return self._apply_recipe(input)


class EinMix(_EinmixMixin, nn.Module):  # type: ignore[misc]
    """A linear layer whose sums and shapes are a pattern: ``EinMix("t b (h c) -> h b t d", "h c d", ...)``."""

    def _create_parameters(self, weight_shape: Any, weight_bound: float, bias_shape: Any, bias_bound: float) -> None:
        def drawn(shape: Any, bound: float) -> nn.Parameter:
            return nn.Parameter(tensorcore.zeros(shape).uniform_(-bound, bound))

        self.weight = drawn(weight_shape, weight_bound)
        self.bias = None if bias_shape is None else drawn(bias_shape, bias_bound)

    def _create_rearrange_layers(
        self, pre_reshape_pattern: str | None, pre_reshape_lengths: Any, post_reshape_pattern: str | None,
        post_reshape_lengths: Any,
    ) -> None:  # fmt: skip
        def layer(pattern: str | None, lengths: Any) -> Rearrange | None:
            return None if pattern is None else Rearrange(pattern, **lengths)

        self.pre_rearrange = layer(pre_reshape_pattern, pre_reshape_lengths)
        self.post_rearrange = layer(post_reshape_pattern, post_reshape_lengths)

    def forward(self, input: Tensor) -> Tensor:
        if self.pre_rearrange is not None:
            input = self.pre_rearrange(input)
        result = tensorcore.einsum(self.einsum_pattern, input, self.weight)
        if self.bias is not None:
            result = result + self.bias
        return result if self.post_rearrange is None else self.post_rearrange(result)
