"""Exponential families, whose entropy and divergence follow from the log normaliser."""

from __future__ import annotations

from typing import Any

import tensorcore as tc
from tensorcore.distributions.distribution import Distribution
from tensorcore.tensor import Tensor

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Of density ``exp(<t(x), theta> - F(theta) + k(x))``.

    ``_natural_params`` are theta, ``_log_normalizer`` is F, and ``_mean_carrier_measure`` is the mean of k. Entropy and
    divergence are Bregman divergences of F (Nielsen and Nock, "Entropies and cross-entropies of exponential families",
    2010), by automatic differentiation; gradients flow into the parameters.
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError(f"{type(self).__name__} does not define _natural_params")

    def _log_normalizer(self, *natural_params: Any) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} does not define _log_normalizer")

    @property
    def _mean_carrier_measure(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define _mean_carrier_measure")

    def _normalizer_and_gradients(self) -> tuple[tuple[Tensor, ...], Tensor, tuple[Tensor, ...]]:
        """The natural parameters, F there, and the gradients of F, which are the means of t(x)."""
        with tc.enable_grad():
            natural = tuple(
                each if each.requires_grad else each.detach().requires_grad_() for each in self._natural_params
            )
            normalizer = self._log_normalizer(*natural)
            gradients: Any = tc.autograd.grad(normalizer.sum(), natural, create_graph=True)
        return natural, normalizer, gradients

    def entropy(self) -> Tensor:
        natural, normalizer, gradients = self._normalizer_and_gradients()
        result = normalizer - self._mean_carrier_measure
        for each, gradient in zip(natural, gradients, strict=True):
            result = result - (each * gradient).reshape((*self._batch_shape, -1)).sum(-1)
        return result
