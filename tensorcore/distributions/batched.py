"""What distributions given by tensors share: broadcasting them, expanding them, and logits or probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from tensorcore.distributions import constraints
from tensorcore.distributions.distribution import Distribution
from tensorcore.distributions.utils import (
    broadcast_all,
    lazy_property,
    logits_to_probs,
    probs_to_logits,
)
from tensorcore.shapes import Size
from tensorcore.tensor import Tensor

__all__ = ["Batched", "LocationScale", "LogitsOrProbs", "Pointwise", "either"]


class Batched(Distribution):
    """Of parameters whose first dimensions are the batch, and whose last ones their constraints' ``event_dim`` says."""

    #: Parameters of single numbers, which a subclass may leave out of its constraints.
    _numbers: tuple[str, ...] = ()

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        batch_shape = Size(batch_shape)
        # The most derived class of this package: a subclass of it elsewhere may have more to expand.
        own = next(each for each in type(self).__mro__ if each.__module__.startswith(__package__))
        new = self._get_checked_instance(own, _instance)
        given = set(new.__dict__)
        event_dims = dict.fromkeys(self._numbers, 0)
        event_dims |= {name: each.event_dim for name, each in self.arg_constraints.items()}
        for name, value in self.__dict__.items():
            if isinstance(value, Distribution):
                value = value.expand(batch_shape + value.batch_shape[len(self._batch_shape) :])
            elif name in event_dims and isinstance(value, Tensor):
                value = value.expand(batch_shape + value.shape[value.ndim - event_dims[name] :])
            elif name in given or isinstance(getattr(type(self), name, None), lazy_property):
                continue
            new.__dict__[name] = value
        new._batch_shape = batch_shape
        new._validate_args = self._validate_args
        return new


class Pointwise(Batched):
    """Of single numbers, by parameters that broadcast."""

    def _broadcast(self, validate_args: bool | None, **parameters: Any) -> None:
        """Finish the construction: keep the parameters, broadcast, under their names."""
        made = broadcast_all(*parameters.values())
        self.__dict__.update(zip(parameters, made, strict=True))
        self._numbers = tuple(parameters)
        super().__init__(made[0].shape, validate_args=validate_args)


class LocationScale(Pointwise):
    """Of real numbers, moved by ``loc`` and stretched by ``scale``; the middle is ``loc``."""

    arg_constraints: ClassVar[Any] = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    loc: Tensor
    scale: Tensor

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self._broadcast(validate_args, loc=loc, scale=scale)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc


def either(probs: Any, logits: Any) -> tuple[str, Any]:
    """The one that is given, with its name.

    Raises:
        ValueError: if both or none are given.
    """
    if (probs is None) == (logits is None):
        given = "neither" if probs is None else "both"
        raise ValueError(f"Either `probs` or `logits` must be specified, but not both; got {given}")
    return ("logits", logits) if probs is None else ("probs", probs)


class LogitsOrProbs(Pointwise):
    """By probabilities or their log odds; the other is computed when it is asked for."""

    arg_constraints: ClassVar[Any] = {"probs": constraints.unit_interval, "logits": constraints.real}
    _given: str

    def _broadcast_either(self, probs: Any, logits: Any, validate_args: bool | None, **others: Any) -> None:
        """Finish the construction: as `_broadcast`, all in the dtype of what is given."""
        self._given, param = either(probs, logits)
        *rest, param = broadcast_all(*others.values(), param)
        made = {name: value.to(param.dtype) for name, value in zip(others, rest, strict=True)}
        self._broadcast(validate_args, **made, **{self._given: param})

    @lazy_property
    def logits(self) -> Tensor:
        """Log odds."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        """Probabilities."""
        return logits_to_probs(self.logits, is_binary=True)

    @property
    def _param(self) -> Tensor:
        return getattr(self, self._given)

    @property
    def param_shape(self) -> Size:
        """Shape of the parameter that was given."""
        return self._param.shape
