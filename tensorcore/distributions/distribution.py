"""The base class of distributions."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import tensorcore as tc
from tensorcore.dispatch import intercepted
from tensorcore.distributions import constraints
from tensorcore.distributions.utils import lazy_property
from tensorcore.errors import RangeError, ShapeError, TransformError
from tensorcore.shapes import Size
from tensorcore.tensor import Tensor

__all__ = ["Distribution"]


class Distribution:
    """What all distributions share.

    The shape of a sample is ``sample_shape + batch_shape + event_shape``: independent draws, parameters, one event.

    Args:
        batch_shape: shape over which the parameters vary.
        event_shape: shape of one event.
        validate_args: whether parameters and samples are checked; by default they are, unless Python runs with ``-O``
            or `set_default_validate_args` says otherwise.

    Raises:
        RangeError: for a parameter outside its constraint; the message shows the first such element.
    """

    has_rsample: Any = False
    has_enumerate_support: Any = False
    _validate_args = __debug__
    _batch_shape: Size
    _event_shape: Size

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Set whether distributions check parameters and samples unless told otherwise.

        Raises:
            ValueError: if ``value`` is no bool.
        """
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args: expected True or False, got {value!r}")
        Distribution._validate_args = value

    def __init__(
        self, batch_shape: Sequence[int] = (), event_shape: Sequence[int] = (), validate_args: bool | None = None
    ) -> None:
        self._batch_shape = batch_shape if type(batch_shape) is Size else Size(batch_shape)
        self._event_shape = event_shape if type(event_shape) is Size else Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._validate_parameters()

    def _validate_parameters(self) -> None:
        try:
            arg_constraints = self.arg_constraints
        except NotImplementedError:
            warnings.warn(
                f"{type(self).__name__} has no arg_constraints, so its parameters are not checked; "
                "define them ({} if there are none), or pass validate_args=False",
                stacklevel=3,
            )
            return
        for name, constraint in arg_constraints.items():
            if constraints.is_dependent(constraint):
                continue
            if name not in self.__dict__ and isinstance(getattr(type(self), name, None), lazy_property):
                continue
            self._require(f"parameter {name}", getattr(self, name), constraint, "satisfy the constraint")

    def _require(self, what: str, value: Tensor, constraint: Any, wanted: str) -> None:
        """Raise RangeError unless all events of ``value`` satisfy ``constraint``."""
        try:
            if intercepted() or constraint._admits(value):
                return
        except TransformError:
            # What is being recorded, and what `vmap` maps over, cannot be read.
            return
        valid = constraint.check(value)
        bad = ~valid
        place = bad.nonzero()[0].tolist()
        shown = value
        if value.ndim >= valid.ndim - constraint.event_dim:
            event = value.shape[value.ndim - constraint.event_dim :]
            shown = value.broadcast_to((*valid.shape, *event))[tuple(place)]
        raise RangeError(
            f"Expected {what} (Tensor of shape {tuple(value.shape)}) of distribution {self!r} to {wanted} "
            f"{constraint!r}, but {int(bad.sum())} of {valid.numel()} do not; the first, at {place}, is "
            f"{shown.tolist()}"
        )

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        """The distribution with its parameters expanded to ``batch_shape``, without copying them.

        Args:
            batch_shape: the new batch shape.
            _instance: an instance to fill, from an override of a subclass with a constructor of its own.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define expand")

    @property
    def batch_shape(self) -> Size:
        """Shape over which the parameters vary."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """Shape of one event."""
        return self._event_shape

    if TYPE_CHECKING:
        # Subclasses state them as attributes of the class, or compute them.
        arg_constraints: ClassVar[Any]
        support: ClassVar[Any]
    else:

        @property
        def arg_constraints(self) -> dict[str, constraints.Constraint]:
            """The constraint of each parameter, by name."""
            raise NotImplementedError(f"{type(self).__name__} does not define arg_constraints")

        @property
        def support(self) -> constraints.Constraint:
            """The constraint that samples satisfy."""
            raise NotImplementedError(f"{type(self).__name__} does not define support")

    @property
    def mean(self) -> Tensor:
        """Mean of each distribution."""
        raise NotImplementedError(f"{type(self).__name__} does not define mean")

    @property
    def mode(self) -> Tensor:
        """Most likely event of each distribution."""
        raise NotImplementedError(f"{type(self).__name__} does not define mode")

    @property
    def variance(self) -> Tensor:
        """Variance of each distribution."""
        raise NotImplementedError(f"{type(self).__name__} does not define variance")

    @property
    def stddev(self) -> Tensor:
        """Standard deviation of each distribution."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws of shape ``sample_shape + batch_shape + event_shape``, without gradients."""
        with tc.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draws as `sample` gives them, with gradients into the parameters, where ``has_rsample`` is true."""
        raise NotImplementedError(f"{type(self).__name__} does not define rsample: its draws have no gradient")

    def sample_n(self, n: int) -> Tensor:
        """``sample((n,))``, under the old name."""
        warnings.warn("sample_n(n) will be deprecated. Use sample((n,)) instead.", FutureWarning, stacklevel=2)
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """Logarithm of the density or probability of each event of ``value``.

        Raises:
            RangeError: for events outside the support, where arguments are validated.
            ShapeError: for a shape that does not broadcast with ``batch_shape + event_shape``.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define log_prob")

    def cdf(self, value: Tensor) -> Tensor:
        """Probability of what is not above ``value``."""
        raise NotImplementedError(f"{type(self).__name__} does not define cdf")

    def icdf(self, value: Tensor) -> Tensor:
        """The number at which `cdf` is ``value``."""
        raise NotImplementedError(f"{type(self).__name__} does not define icdf")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All events of a discrete distribution along dimension 0, for the batch in lock-step.

        Args:
            expand: whether the batch's dimensions are expanded, or of size 1.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define enumerate_support")

    def entropy(self) -> Tensor:
        """Entropy of each distribution, in nats."""
        raise NotImplementedError(f"{type(self).__name__} does not define entropy")

    def perplexity(self) -> Tensor:
        """Exponential of the entropy."""
        return self.entropy().exp()

    def _extended_shape(self, sample_shape: Sequence[int] = ()) -> Size:
        return Size(sample_shape) + self._batch_shape + self._event_shape

    def _require_shape(self, value: Tensor, expected: Size) -> None:
        """Raise ShapeError unless the shape of ``value`` ends like ``expected``, the batch broadcasting."""
        events = len(self._event_shape)
        if value.shape[max(value.ndim - events, 0) :] != self._event_shape:
            raise ShapeError(
                f"{type(self).__name__}: the last dimensions of the value must be those of an event, "
                f"{list(self._event_shape)}, got shape {list(value.shape)}"
            )
        if any(1 not in (i, j) and i != j for i, j in zip(reversed(value.shape), reversed(expected), strict=False)):
            raise ShapeError(
                f"{type(self).__name__}: shape {list(value.shape)} of the value does not broadcast with "
                f"batch_shape + event_shape, {list(expected)}"
            )

    def _validate_sample(self, value: Any) -> None:
        """Raise unless ``value`` is of events of this distribution."""
        if not isinstance(value, Tensor):
            raise ValueError(f"{type(self).__name__}: the value must be a tensor, got {type(value).__name__}")
        expected = self._batch_shape + self._event_shape
        if value.shape != expected:
            self._require_shape(value, expected)
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{type(self).__name__} has no support, so samples are not checked; define it, or pass "
                "validate_args=False",
                stacklevel=3,
            )
            return
        self._require("value argument", value, support, "be within the support")

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        """An instance to fill in `expand`; ``cls`` is the class whose `expand` runs.

        Raises:
            NotImplementedError: if a subclass has a constructor of its own and no `expand`.
        """
        if _instance is not None:
            return _instance
        if type(self).__init__ is not cls.__init__:  # type: ignore[misc]
            raise NotImplementedError(
                f"{type(self).__name__} has a constructor of its own, so it must also define expand; "
                f"that of {cls.__name__} does not know its attributes"
            )
        return type(self).__new__(type(self))

    def __repr__(self) -> str:
        facts = [(name, self.__dict__[name]) for name in self.arg_constraints if name in self.__dict__]
        shown = (f"{name}: {value if value.numel() == 1 else value.size()}" for name, value in facts)
        return f"{type(self).__name__}({', '.join(shown)})"
