"""The base class of transforms, and transforms made of others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import tensorcore as tc
from tensorcore.distributions import constraints
from tensorcore.distributions.utils import _sum_rightmost
from tensorcore.errors import ShapeError
from tensorcore.shapes import Size
from tensorcore.tensor import Tensor

__all__ = [
    "ComposeTransform",
    "IndependentTransform",
    "ReshapeTransform",
    "Transform",
    "identity_transform",
]


class Transform:
    """A map of tensors with an inverse and the determinant of its Jacobian.

    Subclasses define ``_call``, ``_inverse`` and, where they are bijective, ``log_abs_det_jacobian``.

    Args:
        cache_size: 1 to keep the last argument and result, so that inverting a result gives the very argument;
            or 0.

    Attributes:
        domain: the constraint that arguments satisfy.
        codomain: the constraint that results satisfy.
        bijective: whether the inverse is one; if not, ``t(t.inv(t(x))) == t(x)`` still holds.
        sign: of the derivative, +1 or -1, for monotonous functions of numbers.

    Raises:
        ValueError: for another cache size.
    """

    bijective: Any = False

    if TYPE_CHECKING:
        # Subclasses state them as attributes of the class, or compute them.
        domain: ClassVar[Any]
        codomain: ClassVar[Any]
    else:

        @property
        def domain(self) -> constraints.Constraint:
            """The constraint that arguments satisfy."""
            raise AttributeError(f"{type(self).__name__} does not define its domain")

        @property
        def codomain(self) -> constraints.Constraint:
            """The constraint that results satisfy."""
            raise AttributeError(f"{type(self).__name__} does not define its codomain")

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError(f"{type(self).__name__}: cache_size must be 0 or 1, got {cache_size!r}")
        self._cache_size = cache_size
        self._inv: Transform | None = None
        self._cached_x_y: tuple[Any, Any] = (None, None)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_inv": None}

    @property
    def event_dim(self) -> int:
        """Number of dimensions of an event, where the transform keeps it."""
        if self.domain.event_dim == self.codomain.event_dim:
            return int(self.domain.event_dim)
        raise ValueError(
            f"{type(self).__name__} changes the dimensions of events: ask for domain.event_dim or codomain.event_dim"
        )

    @property
    def inv(self) -> Transform:
        """The inverse transform, whose own inverse is this one."""
        if self._inv is None:
            self._inv = _InverseTransform(self)
        return self._inv

    @property
    def sign(self) -> Any:
        """Sign of the derivative: +1, -1 or a tensor of them."""
        raise NotImplementedError(f"{type(self).__name__} has no sign: it is no monotonous function of numbers")

    def _with_cache(self, cache_size: int) -> Transform:
        if type(self).__init__ is Transform.__init__:
            return type(self)(cache_size=cache_size)
        raise NotImplementedError(
            f"{type(self).__name__} has a constructor of its own, so it must also define with_cache"
        )

    def with_cache(self, cache_size: int = 1) -> Transform:
        """The same transform with this cache size."""
        return self if self._cache_size == cache_size else self._with_cache(cache_size)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = None  # type: ignore[assignment]

    def __call__(self, x: Any) -> Any:
        if self._cache_size == 0:
            return self._call(x)
        cached, y = self._cached_x_y
        if x is not cached:
            y = self._call(x)
            self._cached_x_y = x, y
        return y

    def _inv_call(self, y: Any) -> Any:
        if self._cache_size == 0:
            return self._inverse(y)
        x, cached = self._cached_x_y
        if y is not cached:
            x = self._inverse(y)
            self._cached_x_y = x, y
        return x

    def _call(self, x: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define _call")

    def _inverse(self, y: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define _inverse")

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        """Logarithm of the absolute determinant of dy/dx, y being the result for x, for each event."""
        raise NotImplementedError(f"{type(self).__name__} does not define log_abs_det_jacobian")

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def forward_shape(self, shape: Sequence[int]) -> Any:
        """Shape of the result for an argument of ``shape``."""
        return shape

    def inverse_shape(self, shape: Sequence[int]) -> Any:
        """Shape of the argument for a result of ``shape``."""
        return shape


class Plain(Transform):
    """A transform without parameters: all of a class are equal."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self))

    __hash__ = None


class _InverseTransform(Transform):
    """The inverse of another transform, which does the caching."""

    _inv: Transform

    def __init__(self, transform: Transform) -> None:
        super().__init__(cache_size=transform._cache_size)
        self._inv = transform

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        return self._inv.codomain

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        return self._inv.domain

    @property
    def bijective(self) -> bool:
        return bool(self._inv.bijective)

    @property
    def sign(self) -> Any:
        return self._inv.sign

    @property
    def inv(self) -> Transform:
        return self._inv

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self._inv.with_cache(cache_size).inv

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _InverseTransform) and self._inv == other._inv

    __hash__ = None

    def __repr__(self) -> str:
        return f"_InverseTransform({self._inv!r})"

    def __call__(self, x: Any) -> Any:
        return self._inv._inv_call(x)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return -self._inv.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Sequence[int]) -> Any:
        return self._inv.inverse_shape(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Any:
        return self._inv.forward_shape(shape)


# ------------------------------------------------------------------ one after another


class ComposeTransform(Transform):
    """The transforms of ``parts``, one after another; they do the caching.

    Example:
        >>> from tensorcore.distributions import transforms
        >>> f = ComposeTransform([transforms.ExpTransform(), transforms.AffineTransform(1.0, 2.0)])
        >>> f(tc.tensor(0.0)), f.inv(tc.tensor(3.0))
        (tensor(3.), tensor(0.))
    """

    def __init__(self, parts: Sequence[Transform], cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.parts = [part.with_cache(cache_size) for part in parts] if cache_size else list(parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComposeTransform) and self.parts == other.parts

    __hash__ = None

    def _end(self, ends: Sequence[tuple[Any, Any]]) -> Any:
        """The last constraint of (from, to) pairs, with as many dimensions as all of them need."""
        if not ends:
            return constraints.real
        event_dim = ends[0][0].event_dim
        for source, target in ends:
            event_dim = max(event_dim + target.event_dim - source.event_dim, target.event_dim)
        last = ends[-1][1]
        more = event_dim - last.event_dim
        return constraints.independent(last, more) if more else last

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        return self._end([(part.codomain, part.domain) for part in reversed(self.parts)])

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        return self._end([(part.domain, part.codomain) for part in self.parts])

    @property
    def bijective(self) -> bool:
        return all(part.bijective for part in self.parts)

    @property
    def sign(self) -> Any:
        sign: Any = 1
        for part in self.parts:
            sign = sign * part.sign
        return sign

    @property
    def inv(self) -> Transform:
        if self._inv is None:
            self._inv = ComposeTransform([part.inv for part in reversed(self.parts)])
            self._inv._inv = self
        return self._inv

    def _with_cache(self, cache_size: int) -> Transform:
        return ComposeTransform(self.parts, cache_size=cache_size)

    def __call__(self, x: Any) -> Any:
        for part in self.parts:
            x = part(x)
        return x

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        if not self.parts:
            return tc.zeros_like(x)
        total: Any = None
        event_dim = self.domain.event_dim
        for place, part in enumerate(self.parts):
            result = y if place == len(self.parts) - 1 else part(x)
            more = event_dim - part.domain.event_dim
            term = _sum_rightmost(part.log_abs_det_jacobian(x, result), more)
            total = term if total is None else total + term
            event_dim += part.codomain.event_dim - part.domain.event_dim
            x = result
        return total

    def forward_shape(self, shape: Sequence[int]) -> Any:
        for part in self.parts:
            shape = part.forward_shape(shape)
        return shape

    def inverse_shape(self, shape: Sequence[int]) -> Any:
        for part in reversed(self.parts):
            shape = part.inverse_shape(shape)
        return shape

    def __repr__(self) -> str:
        parts = ",\n    ".join(repr(part) for part in self.parts)
        return f"{type(self).__name__}(\n    {parts}\n)"


identity_transform = ComposeTransform([])


# ------------------------------------------------------------------ of other events


class IndependentTransform(Transform):
    """``base_transform`` with ``reinterpreted_batch_ndims`` more dimensions to an event.

    Example:
        >>> from tensorcore.distributions.transforms import ExpTransform
        >>> x = tc.ones(2, 3)
        >>> IndependentTransform(ExpTransform(), 1).log_abs_det_jacobian(x, x.exp())
        tensor([3., 3.])
    """

    def __init__(self, base_transform: Transform, reinterpreted_batch_ndims: int, cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.base_transform = base_transform.with_cache(cache_size)
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    def _with_cache(self, cache_size: int) -> Transform:
        return IndependentTransform(self.base_transform, self.reinterpreted_batch_ndims, cache_size=cache_size)

    @constraints.dependent_property(is_discrete=False)
    def domain(self) -> Any:
        return constraints.independent(self.base_transform.domain, self.reinterpreted_batch_ndims)

    @constraints.dependent_property(is_discrete=False)
    def codomain(self) -> Any:
        return constraints.independent(self.base_transform.codomain, self.reinterpreted_batch_ndims)

    @property
    def bijective(self) -> bool:
        return bool(self.base_transform.bijective)

    @property
    def sign(self) -> Any:
        return self.base_transform.sign

    def _require(self, x: Tensor, constraint: Any) -> Tensor:
        if x.ndim < constraint.event_dim:
            raise ShapeError(f"{self}: an event has {constraint.event_dim} dimensions, got shape {list(x.shape)}")
        return x

    def _call(self, x: Any) -> Any:
        return self.base_transform(self._require(x, self.domain))

    def _inverse(self, y: Any) -> Any:
        return self.base_transform.inv(self._require(y, self.codomain))

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return _sum_rightmost(self.base_transform.log_abs_det_jacobian(x, y), self.reinterpreted_batch_ndims)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_transform!r}, {self.reinterpreted_batch_ndims})"

    def forward_shape(self, shape: Sequence[int]) -> Any:
        return self.base_transform.forward_shape(shape)

    def inverse_shape(self, shape: Sequence[int]) -> Any:
        return self.base_transform.inverse_shape(shape)


class ReshapeTransform(Transform):
    """Events of ``in_shape`` reshaped to ``out_shape``.

    Raises:
        ShapeError: if these have different numbers of elements.

    Example:
        >>> ReshapeTransform((4,), (2, 2)).forward_shape((3, 4))
        tensorcore.Size([3, 2, 2])
    """

    bijective = True

    def __init__(self, in_shape: Sequence[int], out_shape: Sequence[int], cache_size: int = 0) -> None:
        super().__init__(cache_size=cache_size)
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if math.prod(in_shape) != math.prod(out_shape):
            raise ShapeError(f"ReshapeTransform: {list(in_shape)} and {list(out_shape)} differ in number of elements")

    @constraints.dependent_property
    def domain(self) -> Any:
        return constraints.independent(constraints.real, len(self.in_shape))

    @constraints.dependent_property
    def codomain(self) -> Any:
        return constraints.independent(constraints.real, len(self.out_shape))

    def _with_cache(self, cache_size: int) -> Transform:
        return ReshapeTransform(self.in_shape, self.out_shape, cache_size=cache_size)

    def _call(self, x: Any) -> Any:
        return x.reshape(x.shape[: x.ndim - len(self.in_shape)] + self.out_shape)

    def _inverse(self, y: Any) -> Any:
        return y.reshape(y.shape[: y.ndim - len(self.out_shape)] + self.in_shape)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        return x.new_zeros(x.shape[: x.ndim - len(self.in_shape)])

    def _reshaped(self, shape: Sequence[int], source: Size, target: Size) -> Size:
        cut = len(shape) - len(source)
        if cut < 0 or Size(shape)[cut:] != source:
            raise ShapeError(f"ReshapeTransform: expected events of shape {list(source)}, got shape {list(shape)}")
        return Size(shape)[:cut] + target

    def forward_shape(self, shape: Sequence[int]) -> Any:
        return self._reshaped(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Sequence[int]) -> Any:
        return self._reshaped(shape, self.out_shape, self.in_shape)
