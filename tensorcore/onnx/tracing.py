"""One run of a model, recorded in the ops that converters know."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tensorcore.compile.capture import Capture
from tensorcore.onnx.errors import OnnxExporterWarning
from tensorcore.tensor import user_line

if TYPE_CHECKING:
    from tensorcore.devices import Kind
    from tensorcore.ops.record import Op
    from tensorcore.tensor import Tensor


class Trace(Capture):
    """A record of kernel calls with shapes, lines of the user's program, and which values show others' memory.

    Composites that ``takes`` refuses are recorded by their expression, whatever kernels the device has for them, so
    that a model gives one graph on every device.

    Attributes:
        shapes: sides of each value, by number.
        kinds: their kinds.
        lines: where the user's program called each step.
        views: for a value that shows the memory of another, the place of the step that made it.
        externals_by_number: the tensors that the run read from outside.
        data: their elements as they were when first read, by the identity of the array.
    """

    def __init__(
        self, arguments: list[Tensor], takes: Callable[[Op, Any, Any], bool], state: dict[int, bytes | None]
    ) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.kinds: dict[int, Kind] = {}
        self.lines: list[str] = []
        self.views: dict[int, int] = {}
        self.externals_by_number: dict[int, Tensor] = {}
        self.data: dict[int, bytes] = {}
        self.takes = takes
        #: Elements of parameters and buffers, by identity, once they were read in some run.
        self._state = state
        super().__init__(arguments)
        for number, tensor in zip(self.graph.inputs, arguments, strict=True):
            self.kinds[number] = tensor._kind

    def give_up(self, reason: str) -> None:
        """What Python reads of values is fixed in the exported model, as in PyTorch's."""
        warnings.warn(
            f"onnx.export: {reason}: what Python makes of them, choices and sizes, is fixed as it is for these inputs; "
            "use tensor functions (where, clamp, gather) to have it made at each run",
            OnnxExporterWarning,
            stacklevel=2,
        )

    def _number(self, array: Any) -> int:
        self.shapes.append(tuple(array.shape))
        return super()._number(array)

    def number_of(self, tensor: Tensor) -> int:
        array = tensor._array
        found = self.numbers.get(id(array))
        if found is not None:
            return found
        number = self._input(array, lambda: tensor)
        self.kinds[number] = tensor._kind
        self.externals_by_number[number] = tensor
        if id(array) not in self.data:
            data = self._state.get(id(array)) or bytes(tensor._kind.backend.to_host(array))
            self.data[id(array)] = data
            if id(array) in self._state:
                self._state[id(array)] = data
        if not array.shape and id(array) not in self._state:
            # Equal numbers share one tensor: what is 8 in two places may differ between them at another size.
            del self.numbers[id(array)]
        return number

    def __call__(self, op: Any, inputs: tuple[Any, ...], attributes: dict[str, Any], proceed: Callable[[], Any]) -> Any:
        result = super().__call__(op, inputs, attributes, proceed)
        step = self.graph.steps[-1]
        for number, kind in zip(step.outputs, step.kinds, strict=True):
            self.kinds[number] = kind
        if op.view and self._shows(op, inputs[0], result):
            self.views.setdefault(step.outputs[0], len(self.graph.steps) - 1)
        self.lines.append(user_line())
        return result

    @staticmethod
    def _shows(op: Any, base: Tensor, result: Tensor) -> bool:
        kind = base._kind
        if not kind.device.capabilities.views or result._array is base._array:
            return False
        if op.name != "reshape":
            return True
        backend = kind.backend
        return backend.data_ptr(base._array) == backend.data_ptr(result._array)
