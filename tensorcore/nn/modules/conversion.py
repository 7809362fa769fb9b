"""A module moved: its tensors brought to another device or dtype, in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from tensorcore import dtypes
from tensorcore.autograd.mode import no_grad
from tensorcore.dtypes import FLOATING, DType
from tensorcore.nn.modules.tree import ModuleTree

if TYPE_CHECKING:
    from tensorcore.tensor import Tensor


class ModuleConversion(ModuleTree):
    """The methods that convert all tensors of a module; a part of `Module`."""

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace what every parameter, gradient and buffer holds by ``fn`` of it.

        Parameters stay the same objects, so an optimizer made before still updates them.
        """
        if recurse:
            for module in self.children():
                module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is None:
                continue
            with no_grad():
                parameter.data = fn(parameter)
                if parameter.grad is not None:
                    parameter.grad = fn(parameter.grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move to a device and, for floating-point tensors, a dtype: ``to(device)``, ``to(dtype)``, ``to(tensor)``.

        Raises:
            TypeError: for a dtype that is neither floating point nor complex.
            DeviceError: for an unknown device.

        Example:
            >>> import tensorcore as tc
            >>> tc.nn.Linear(2, 2).to(tc.float64).weight.dtype
            tensorcore.float64
        """
        from tensorcore.ops.conversion import parse_to

        device, dtype, _ = parse_to(*args, **kwargs)
        if dtype is not None and dtype.category < FLOATING:
            raise TypeError(f"Module.to: expected a floating-point or complex dtype, got {dtype}")

        def convert(tensor: Tensor) -> Tensor:
            wanted = dtype if tensor._kind.dtype.category >= FLOATING else None
            return tensor.to(device=device, dtype=wanted)

        return self._apply(convert)

    def to_empty(self, *, device: Any, recurse: bool = True) -> Self:
        """Move to a device without copying: the tensors there have the shapes and arbitrary content."""
        from tensorcore.ops.creation import empty

        return self._apply(lambda t: empty(t.shape, dtype=t.dtype, device=device or t.device), recurse)

    def cpu(self) -> Self:
        """Move to the device ``cpu``."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> Self:
        """Move to the device ``cuda``, or to the one of index ``device``."""
        return self._apply(lambda t: t.cuda(device))

    def type(self, dst_type: DType) -> Self:
        """Convert all parameters and buffers, integers too, to a dtype."""
        return self._apply(lambda t: t.to(dtype=dst_type))

    def share_memory(self) -> Self:
        """The module itself; a data loader's workers pass what they make through shared memory of their own."""
        return self._apply(lambda t: t.share_memory_())

    def _float_to(self, dtype: DType) -> Self:
        return self._apply(lambda t: t.to(dtype=dtype) if t.is_floating_point() else t)

    def float(self) -> Self:
        """Convert floating-point parameters and buffers to float32."""
        return self._float_to(dtypes.float32)

    def double(self) -> Self:
        """Convert floating-point parameters and buffers to float64."""
        return self._float_to(dtypes.float64)

    def half(self) -> Self:
        """Convert floating-point parameters and buffers to float16."""
        return self._float_to(dtypes.float16)

    def bfloat16(self) -> Self:
        """Convert floating-point parameters and buffers to bfloat16."""
        return self._float_to(dtypes.bfloat16)
