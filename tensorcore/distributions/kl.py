"""The Kullback-Leibler divergence of two distributions, by their classes.

The rules of this package's pairs are in `kl_rules`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from tensorcore.distributions.distribution import Distribution
from tensorcore.tensor import Tensor

__all__ = ["kl_divergence", "register_kl"]

Rule = Callable[[Any, Any], Tensor]
_REGISTRY: dict[tuple[type, type], Rule] = {}
_FOUND: dict[tuple[type, type], Rule | None] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Rule], Rule]:
    """Decorator: use a function of (p, q) for these classes of distributions and their subclasses.

    Raises:
        TypeError: for what is no class of distributions.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.distributions import Distribution, Normal
        >>> class Point(Distribution):
        ...     arg_constraints = {}
        >>> @register_kl(Point, Normal)
        ... def kl_point_normal(p, q):
        ...     return tc.full(q.batch_shape, tc.inf)
        >>> kl_divergence(Point(), Normal(0.0, 1.0))
        tensor(inf)
    """
    for kind in (type_p, type_q):
        if not isinstance(kind, type) or not issubclass(kind, Distribution):
            raise TypeError(f"register_kl: expected classes of distributions, got {kind!r}")

    def decorate(rule: Rule) -> Rule:
        _REGISTRY[type_p, type_q] = rule
        _FOUND.clear()
        return rule

    return decorate


def _rule_for(type_p: type, type_q: type) -> Rule | None:
    """The rule of the nearest classes; nearest for p first, and for q first, must be the same."""
    known = [(p, q) for p, q in _REGISTRY if issubclass(type_p, p) and issubclass(type_q, q)]
    if not known:
        return None

    def distance(pair: tuple[type, type]) -> tuple[int, int]:
        return type_p.__mro__.index(pair[0]), type_q.__mro__.index(pair[1])

    left = min(known, key=distance)
    right = min(known, key=lambda pair: distance(pair)[::-1])
    if _REGISTRY[left] is not _REGISTRY[right]:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}): "
            f"register_kl({left[0].__name__}, {right[1].__name__}) would decide",
            RuntimeWarning,
            stacklevel=3,
        )
    return _REGISTRY[left]


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """``E_p[log p(x) - log q(x)]`` for each distribution of the batch.

    Raises:
        NotImplementedError: if no rule is registered for the classes of ``p`` and ``q``.

    Example:
        >>> from tensorcore.distributions import Normal
        >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
        tensor(0.5000)
    """
    kinds = type(p), type(q)
    if kinds not in _FOUND:
        _FOUND[kinds] = _rule_for(*kinds)
    rule = _FOUND[kinds]
    if rule is None:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p of {kinds[0].__name__} and q of {kinds[1].__name__}; "
            "register_kl adds one"
        )
    return rule(p, q)
