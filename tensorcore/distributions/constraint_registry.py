"""From constraints to transforms of unconstrained tensors: `biject_to` and `transform_to`.

`biject_to` gives bijections, for densities; `transform_to` what may be simpler, for optimising. A constraint of one's
own is added by ``@transform_to.register(MyConstraint)`` before a function of the constraint that returns the transform.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

from tensorcore.distributions import constraints, transforms
from tensorcore.distributions.transforms import Transform

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]

Factory = Callable[[Any], Transform]


class ConstraintRegistry:
    """Functions that make the transform to a constraint, by the constraint's class.

    Example:
        >>> import tensorcore as tc
        >>> from tensorcore.distributions import constraints, transform_to
        >>> transform_to(constraints.positive)(tc.zeros(2))
        tensor([1., 1.])
    """

    def __init__(self) -> None:
        self._registry: dict[type, Factory] = {}

    def register(self, constraint: Any, factory: Factory | None = None) -> Any:
        """Use ``factory`` for ``constraint``, a class or an instance of one; a decorator without ``factory``.

        Raises:
            TypeError: for what is no constraint.
        """
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        kind = type(constraint) if isinstance(constraint, constraints.Constraint) else constraint
        if not isinstance(kind, type) or not issubclass(kind, constraints.Constraint):
            raise TypeError(f"register: expected a Constraint or a class of them, got {constraint!r}")
        self._registry[kind] = factory
        return factory

    def __call__(self, constraint: Any) -> Transform:
        """The transform to ``constraint``.

        Raises:
            NotImplementedError: if none is registered for its class.
        """
        factory = self._registry.get(type(constraint))
        if factory is None:
            raise NotImplementedError(
                f"no transform to {constraint!r} is registered; register one for {type(constraint).__name__}"
            )
        return factory(constraint)


biject_to = ConstraintRegistry()
transform_to = ConstraintRegistry()


def _to_interval(constraint: Any) -> Transform:
    low, high = constraint.lower_bound, constraint.upper_bound
    if isinstance(low, Real) and isinstance(high, Real) and low == 0 and high == 1:
        return transforms.SigmoidTransform()
    return transforms.ComposeTransform([transforms.SigmoidTransform(), transforms.AffineTransform(low, high - low)])


def _exp_then(bound: str, sign: int) -> Factory:
    def factory(constraint: Any) -> Transform:
        shift = transforms.AffineTransform(getattr(constraint, bound), sign)
        return transforms.ComposeTransform([transforms.ExpTransform(), shift])

    return factory


def _of_parts(registry: ConstraintRegistry) -> dict[Any, Factory]:
    """For constraints made of others, whose transforms come from the same registry."""
    return {
        constraints.independent: lambda c: transforms.IndependentTransform(
            registry(c.base_constraint), c.reinterpreted_batch_ndims
        ),
        constraints.cat: lambda c: transforms.CatTransform([registry(each) for each in c.cseq], c.dim, c.lengths),
        constraints.stack: lambda c: transforms.StackTransform([registry(each) for each in c.cseq], c.dim),
    }


_BOTH: dict[Any, Factory] = {
    constraints.real: lambda c: transforms.identity_transform,
    # Of a bound of 0, too, which `positive` is.
    constraints.greater_than: _exp_then("lower_bound", 1),
    constraints.greater_than_eq: _exp_then("lower_bound", 1),
    constraints.less_than: _exp_then("upper_bound", -1),
    constraints.interval: _to_interval,
    constraints.half_open_interval: _to_interval,
    constraints.corr_cholesky: lambda c: transforms.CorrCholeskyTransform(),
}
_TABLES: tuple[tuple[ConstraintRegistry, dict[Any, Factory]], ...] = (
    (biject_to, {**_BOTH, constraints.simplex: lambda c: transforms.StickBreakingTransform()}),
    (
        transform_to,
        {
            **_BOTH,
            constraints.simplex: lambda c: transforms.SoftmaxTransform(),
            constraints.lower_cholesky: lambda c: transforms.LowerCholeskyTransform(),
            constraints.positive_definite: lambda c: transforms.PositiveDefiniteTransform(),
            constraints.positive_semidefinite: lambda c: transforms.PositiveDefiniteTransform(),
        },
    ),
)
for _registry, _table in _TABLES:
    for _constraint, _factory in (_table | _of_parts(_registry)).items():
        _registry.register(_constraint, _factory)
