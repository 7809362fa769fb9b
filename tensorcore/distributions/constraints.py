"""Constraints: the regions in which parameters and samples are valid, as in ``torch.distributions.constraints``.

A constraint checks events: `check` gives a bool for each event, whose dimensions are the last ``event_dim`` ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorcore as tc
from tensorcore.errors import ShapeError
from tensorcore.tensor import Tensor

__all__ = [
    "Constraint",
    "MixtureSameFamilyConstraint",
    "boolean",
    "cat",
    "corr_cholesky",
    "dependent",
    "dependent_property",
    "greater_than",
    "greater_than_eq",
    "half_open_interval",
    "independent",
    "integer_interval",
    "interval",
    "is_dependent",
    "less_than",
    "lower_cholesky",
    "lower_triangular",
    "multinomial",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_definite",
    "positive_integer",
    "positive_semidefinite",
    "real",
    "real_vector",
    "simplex",
    "square",
    "stack",
    "symmetric",
    "unit_interval",
]


class Constraint:
    """A region of tensors.

    Attributes:
        is_discrete: whether the region is discrete.
        event_dim: how many of the last dimensions make one event.

    Example:
        >>> from tensorcore.distributions import constraints
        >>> constraints.positive, constraints.positive.check(tc.tensor([0.0, 1.0]))
        (GreaterThan(lower_bound=0.0), tensor([False,  True]))
    """

    is_discrete: Any = False
    event_dim: Any = 0

    def check(self, value: Any) -> Tensor:
        """Whether each event of ``value`` lies in the region: bools of its shape without the event's dimensions."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it admits: define check(value)")

    def _admits(self, value: Any) -> bool:
        """Whether all events of ``value`` lie in the region."""
        return bool(self.check(value).all())

    def __repr__(self) -> str:
        facts = ", ".join(f"{name}={value}" for name, value in vars(self).items() if name[0] != "_")
        return f"{type(self).__name__.lstrip('_')}({facts})"


# ------------------------------------------------------------------ known when an instance is


class _Dependent(Constraint):
    """A region that depends on other parameters; what is not known of it raises NotImplementedError."""

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> None:
        self._is_discrete = is_discrete
        self._event_dim = event_dim

    def _known(self, name: str) -> Any:
        value = getattr(self, f"_{name}")
        if value is NotImplemented:
            raise NotImplementedError(f"{name} of a dependent constraint is known on an instance only")
        return value

    @property
    def is_discrete(self) -> bool:
        return bool(self._known("is_discrete"))

    @property
    def event_dim(self) -> int:
        return int(self._known("event_dim"))

    def __call__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented) -> _Dependent:
        return _Dependent(
            is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
            event_dim=self._event_dim if event_dim is NotImplemented else event_dim,
        )

    def check(self, value: Any) -> Tensor:
        raise ValueError("a dependent constraint checks nothing: take it from an instance of the distribution")


def is_dependent(constraint: Any) -> bool:
    """Whether ``constraint`` is known on instances only."""
    return isinstance(constraint, _Dependent)


class _DependentProperty(property, _Dependent):
    """Decorator: a property of instances, and a dependent constraint on the class."""

    def __init__(
        self, fn: Callable[[Any], Any] | None = None, *, is_discrete: Any = NotImplemented,
        event_dim: Any = NotImplemented,
    ) -> None:  # fmt: skip
        property.__init__(self, fn)
        _Dependent.__init__(self, is_discrete=is_discrete, event_dim=event_dim)

    def __call__(self, fn: Callable[[Any], Any]) -> _DependentProperty:  # type: ignore[override]
        return _DependentProperty(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


# ------------------------------------------------------------------ made of others


def _rest_all(result: Tensor, keep: int) -> Tensor:
    """Whether all is true beyond the first ``keep`` dimensions."""
    return result.reshape((*result.shape[:keep], -1)).all(-1)


class _Wrapping(Constraint):
    """Of another constraint, whose kind it takes on."""

    def __init__(self, base_constraint: Constraint) -> None:
        if not isinstance(base_constraint, Constraint):
            raise AssertionError(f"{type(self).__name__}: expected a Constraint, got {type(base_constraint).__name__}")
        self.base_constraint = base_constraint

    @property
    def is_discrete(self) -> bool:
        return bool(self.base_constraint.is_discrete)

    @property
    def event_dim(self) -> int:
        return int(self.base_constraint.event_dim)


class _IndependentConstraint(_Wrapping):
    """As ``base_constraint``, with ``reinterpreted_batch_ndims`` more dimensions to an event."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int) -> None:
        super().__init__(base_constraint)
        if not isinstance(reinterpreted_batch_ndims, int) or reinterpreted_batch_ndims < 0:
            raise AssertionError(f"independent: expected a number of dimensions, got {reinterpreted_batch_ndims!r}")
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @property
    def event_dim(self) -> int:
        return super().event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Any) -> Tensor:
        result = self.base_constraint.check(value)
        keep = result.ndim - self.reinterpreted_batch_ndims
        if keep < 0:
            raise ShapeError(f"{self}: an event has {self.event_dim} dimensions, got shape {list(value.shape)}")
        return _rest_all(result, keep)

    def _admits(self, value: Any) -> bool:
        if value.ndim < self.event_dim:
            self.check(value)
        return self.base_constraint._admits(value)

    def __repr__(self) -> str:
        return f"IndependentConstraint({self.base_constraint}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamilyConstraint(_Wrapping):
    """As ``base_constraint`` of the components, for events without the dimension of components."""

    def check(self, value: Any) -> Tensor:
        if value.ndim < self.event_dim:
            raise ShapeError(f"{self}: an event has {self.event_dim} dimensions, got shape {list(value.shape)}")
        result = self.base_constraint.check(value.unsqueeze(-1 - self.event_dim))
        return _rest_all(result, value.ndim - self.event_dim)

    def __repr__(self) -> str:
        return f"MixtureSameFamilyConstraint({self.base_constraint})"


class _Sequence(Constraint):
    """Constraints for the parts of a tensor along ``dim``."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0) -> None:
        self.cseq = list(cseq)
        for each in self.cseq:
            if not isinstance(each, Constraint):
                raise AssertionError(f"{type(self).__name__[1:].lower()}: expected Constraints, got {each!r}")
        self.dim = dim

    @property
    def is_discrete(self) -> bool:
        return any(each.is_discrete for each in self.cseq)

    def _check_dim(self, value: Tensor) -> None:
        if not -value.ndim <= self.dim < value.ndim:
            raise AssertionError(f"{self}: the tensor has no dimension {self.dim}; shape {list(value.shape)}")


class _Cat(_Sequence):
    """The constraints of ``cseq`` on parts of ``lengths`` along ``dim``, as `cat` joins them."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None) -> None:
        super().__init__(cseq, dim)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.cseq):
            raise AssertionError(f"cat: {len(self.cseq)} constraints for {len(self.lengths)} lengths")

    @property
    def event_dim(self) -> int:
        return max(each.event_dim for each in self.cseq)

    def check(self, value: Any) -> Tensor:
        self._check_dim(value)
        parts = value.split(self.lengths, self.dim)
        return tc.cat([each.check(part) for each, part in zip(self.cseq, parts, strict=True)], self.dim)


class _Stack(_Sequence):
    """The constraints of ``cseq``, one for each place along ``dim``, as `stack` joins them."""

    @property
    def event_dim(self) -> int:
        dim = max(each.event_dim for each in self.cseq)
        return dim + 1 if self.dim + dim < 0 else dim

    def check(self, value: Any) -> Tensor:
        self._check_dim(value)
        parts = value.unbind(self.dim)
        return tc.stack([each.check(part) for each, part in zip(self.cseq, parts, strict=False)], self.dim)


# ------------------------------------------------------------------ of numbers


class _Real(Constraint):
    """All but NaN."""

    def check(self, value: Any) -> Tensor:
        return value == value


class _Above(Constraint):
    def __init__(self, lower_bound: Any) -> None:
        self.lower_bound = lower_bound


class _Below(Constraint):
    def __init__(self, upper_bound: Any) -> None:
        self.upper_bound = upper_bound


class _Between(Constraint):
    def __init__(self, lower_bound: Any, upper_bound: Any) -> None:
        self.lower_bound = lower_bound
        self.upper_bound = upper_bound


class _GreaterThan(_Above):
    """(lower_bound, inf]."""

    def check(self, value: Any) -> Tensor:
        return self.lower_bound < value


class _GreaterThanEq(_Above):
    """[lower_bound, inf]."""

    def check(self, value: Any) -> Tensor:
        return self.lower_bound <= value


class _LessThan(_Below):
    """[-inf, upper_bound)."""

    def check(self, value: Any) -> Tensor:
        return value < self.upper_bound


class _Interval(_Between):
    """[lower_bound, upper_bound]."""

    def check(self, value: Any) -> Tensor:
        return (self.lower_bound <= value) & (value <= self.upper_bound)


class _HalfOpenInterval(_Between):
    """[lower_bound, upper_bound)."""

    def check(self, value: Any) -> Tensor:
        return (self.lower_bound <= value) & (value < self.upper_bound)


def _whole(value: Tensor, valid: Tensor) -> Tensor:
    """What is valid and a whole number."""
    return valid & (value % 1 == 0) if value.is_floating_point() else valid


class _Boolean(Constraint):
    """0 and 1."""

    is_discrete = True

    def check(self, value: Any) -> Tensor:
        return (value == 0) | (value == 1)


class _IntegerInterval(_Between):
    """The integers of [lower_bound, upper_bound]."""

    is_discrete = True

    def check(self, value: Any) -> Tensor:
        return _whole(value, (self.lower_bound <= value) & (value <= self.upper_bound))


class _IntegerLessThan(_Below):
    """The integers up to upper_bound."""

    is_discrete = True

    def check(self, value: Any) -> Tensor:
        return _whole(value, value <= self.upper_bound)


class _IntegerGreaterThan(_Above):
    """The integers from lower_bound on."""

    is_discrete = True

    def check(self, value: Any) -> Tensor:
        return _whole(value, value >= self.lower_bound)


# ------------------------------------------------------------------ of vectors


class _OneHot(Constraint):
    """Vectors with a single 1 among 0s."""

    is_discrete = True
    event_dim = 1

    def check(self, value: Any) -> Tensor:
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class _Simplex(Constraint):
    """Vectors of numbers from 0 on that add up to 1, within 1e-6."""

    event_dim = 1

    def check(self, value: Any) -> Tensor:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class _Multinomial(_Below):
    """Vectors of numbers from 0 on that add up to at most ``upper_bound``."""

    is_discrete = True
    event_dim = 1

    def check(self, value: Any) -> Tensor:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)


# ------------------------------------------------------------------ of matrices


class _LowerTriangular(Constraint):
    """Matrices with 0 above the diagonal."""

    event_dim = 2

    def check(self, value: Any) -> Tensor:
        return (value.tril() == value).flatten(-2).all(-1)


class _LowerCholesky(_LowerTriangular):
    """Lower triangular matrices with positive diagonals."""

    def check(self, value: Any) -> Tensor:
        return super().check(value) & (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)


class _CorrCholesky(_LowerCholesky):
    """Lower triangular matrices with positive diagonals and rows of length 1."""

    def check(self, value: Any) -> Tensor:
        tolerance = tc.finfo(value.dtype).eps * value.shape[-1] * 10
        lengths = tc.linalg.vector_norm(value.detach(), dim=-1)
        return super().check(value) & ((lengths - 1).abs() <= tolerance).all(-1)


class _Square(Constraint):
    """Square matrices."""

    event_dim = 2

    def check(self, value: Any) -> Tensor:
        *batch, rows, columns = value.shape
        return tc.full(batch, rows == columns, dtype=tc.bool, device=value.device)


class _Symmetric(_Square):
    """Matrices that are their transpose, within 1e-6."""

    def check(self, value: Any) -> Tensor:
        square = super().check(value)
        if value.shape[-2] != value.shape[-1]:
            return square
        return tc.isclose(value, value.mT, atol=1e-6).all(-2).all(-1)


class _PositiveSemidefinite(_Symmetric):
    """Symmetric matrices whose eigenvalues are not negative."""

    def check(self, value: Any) -> Tensor:
        symmetric = super().check(value)
        return (tc.linalg.eigvalsh(value) >= 0).all(-1) if bool(symmetric.all()) else symmetric


class _PositiveDefinite(_Symmetric):
    """Symmetric matrices that have a Cholesky factor."""

    def check(self, value: Any) -> Tensor:
        symmetric = super().check(value)
        return tc.linalg.cholesky_ex(value).info == 0 if bool(symmetric.all()) else symmetric


dependent = _Dependent()
dependent_property = _DependentProperty
independent = _IndependentConstraint
boolean = _Boolean()
one_hot = _OneHot()
nonnegative_integer = _IntegerGreaterThan(0)
positive_integer = _IntegerGreaterThan(1)
integer_interval = _IntegerInterval
real = _Real()
real_vector = independent(real, 1)
positive = _GreaterThan(0.0)
nonnegative = _GreaterThanEq(0.0)
greater_than = _GreaterThan
greater_than_eq = _GreaterThanEq
less_than = _LessThan
multinomial = _Multinomial
unit_interval = _Interval(0.0, 1.0)
interval = _Interval
half_open_interval = _HalfOpenInterval
simplex = _Simplex()
lower_triangular = _LowerTriangular()
lower_cholesky = _LowerCholesky()
corr_cholesky = _CorrCholesky()
square = _Square()
symmetric = _Symmetric()
positive_semidefinite = _PositiveSemidefinite()
positive_definite = _PositiveDefinite()
cat = _Cat
stack = _Stack
