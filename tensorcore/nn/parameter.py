"""Parameters and buffers: the tensors that modules own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorcore.autograd.graph import LEAF
from tensorcore.dtypes import FLOATING
from tensorcore.errors import DTypeError, ShapeError
from tensorcore.tensor import Tensor, wrap

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


def _owned(cls: type[Tensor], data: Any) -> Tensor:
    """A leaf of class ``cls`` over the memory of ``data``; an empty tensor where there is none."""
    if data is None:
        from tensorcore.ops.creation import empty

        data = empty(0)
    if not isinstance(data, Tensor):
        raise TypeError(f"{cls.__name__}: expected a tensor, got {type(data).__name__}")
    return wrap(data._array, data._kind, cls)


class Parameter(Tensor):
    """A leaf tensor that a `Module` registers as its parameter when it is assigned as an attribute.

    Args:
        data: the tensor whose memory it takes over, of any shape.
        requires_grad: whether backward computes a gradient for it.

    Raises:
        DTypeError: if it should require grad and the dtype is neither floating point nor complex.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.Parameter(tc.zeros(2))
        Parameter containing:
        tensor([0., 0.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Self:
        made = _owned(cls, data)
        if requires_grad:
            if made._kind.dtype.category < FLOATING:
                raise DTypeError(
                    f"Parameter: only floating-point and complex tensors can require grad, got {made.dtype}; "
                    "pass requires_grad=False"
                )
            made._node = LEAF
        return made  # type: ignore[return-value]

    def __repr__(self, *, tensor_contents: None = None) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A tensor that a `Module` registers as its buffer when it is assigned as an attribute.

    Args:
        data: the tensor whose memory it takes over, of any shape and dtype.
        persistent: whether ``state_dict`` has it.

    Example:
        >>> import tensorcore as tc
        >>> m = tc.nn.Module()
        >>> m.mean = tc.nn.Buffer(tc.zeros(2))
        >>> list(m.state_dict())
        ['mean']
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Self:
        made: Any = _owned(cls, data)
        made._node = LEAF if data is not None and data._node is not None else None
        made.persistent = persistent
        return made


# ------------------------------------------------------------------ of shapes not known yet


class _Uninitialized(Tensor):
    """A tensor without a shape or content, until `materialize` gives it one."""

    #: What it is once it has a shape.
    cls_to_become: type[Tensor]

    @property
    def _array(self) -> Any:
        raise ShapeError(
            f"{type(self).__name__}: this tensor has no shape yet; run the module once on an example, or load a "
            "state_dict, to give it one"
        )

    @_array.setter
    def _array(self, array: Any) -> None:
        pass

    @property
    def data(self) -> Any:
        return self

    @data.setter
    def data(self, value: Any) -> None:
        # A module that moves puts what `to` returned here.
        self._kind = value._kind

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a tensor of ``shape``, of arbitrary content, on the same device and of the same dtype by default."""
        from tensorcore.ops.creation import empty

        made = empty(shape, device=device or self.device, dtype=dtype or self.dtype)
        self.__class__ = self.cls_to_become  # type: ignore[assignment] # which has the same layout
        Tensor._array.__set__(self, made._array)
        self._kind = made._kind

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """A tensor without a shape, for another device or dtype."""
        from tensorcore.ops.conversion import parse_to

        device, dtype, _ = parse_to(*args, **kwargs)
        return self._like(device or self.device, dtype or self.dtype)

    def _like(self, device: Any, dtype: Any) -> Any:
        raise NotImplementedError

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return memo.setdefault(id(self), self._like(self.device, self.dtype))

    def __repr__(self, *, tensor_contents: None = None) -> str:  # type: ignore[override]
        return f"<{type(self).__name__}>"


class UninitializedParameter(_Uninitialized, Parameter):  # type: ignore[misc] # another __repr__
    """A parameter whose shape is known only when its module has seen an input.

    Raises:
        ShapeError: where it is used before.

    Example:
        >>> import tensorcore as tc
        >>> weight = tc.nn.UninitializedParameter()
        >>> weight.materialize((2, 3))
        >>> weight.shape
        tensorcore.Size([2, 3])
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Self:
        from tensorcore.ops.creation import empty

        return Parameter.__new__(cls, empty(0, device=device, dtype=dtype), requires_grad)

    def _like(self, device: Any, dtype: Any) -> Any:
        return type(self)(self.requires_grad, device, dtype)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.requires_grad, str(self.device), self.dtype)


class UninitializedBuffer(_Uninitialized):
    """A buffer whose shape is known only when its module has seen an input.

    Raises:
        ShapeError: where it is used before.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.UninitializedBuffer()
        <UninitializedBuffer>
    """

    cls_to_become = Tensor
    persistent: bool

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> Self:
        from tensorcore.ops.creation import empty

        made: Any = _owned(cls, empty(0, device=device, dtype=dtype))
        made._node = LEAF if requires_grad else None
        made.persistent = persistent
        return made

    def _like(self, device: Any, dtype: Any) -> Any:
        return type(self)(self.requires_grad, device, dtype, self.persistent)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.requires_grad, str(self.device), self.dtype, self.persistent)


def is_lazy(param: Any) -> bool:
    """Whether a parameter or buffer has no shape yet.

    Example:
        >>> import tensorcore as tc
        >>> tc.nn.parameter.is_lazy(tc.nn.LazyLinear(2).weight)
        True
    """
    return isinstance(param, _Uninitialized)
