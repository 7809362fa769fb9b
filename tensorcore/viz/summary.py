"""Summaries of models: layers with output shapes, parameters, multiply-adds and sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import prod
from typing import Any, Final

from tensorcore.observation import Observer, observe, stop_observing
from tensorcore.tensor import Tensor

__all__ = ["Layer", "Summary", "summary"]


def _product(arrays: Any, result: Any) -> int:
    return prod(result.shape) * int(arrays[0].shape[-1])


def _linear(arrays: Any, result: Any) -> int:
    return prod(result.shape) * int(arrays[1].shape[-1])


def _convolution(arrays: Any, result: Any) -> int:
    return prod(result.shape) * prod(arrays[1].shape[1:])


def _transposed_convolution(arrays: Any, result: Any) -> int:
    return prod(arrays[0].shape) * prod(arrays[1].shape[1:])


def _attention(arrays: Any, result: Any) -> int:
    query, key, value = arrays[:3]
    return prod(query.shape[:-1]) * int(key.shape[-2]) * (int(query.shape[-1]) + int(value.shape[-1]))


def _recurrence(weight: int) -> Callable[[Any, Any], int]:
    # Each projected step is added to a product of the hidden state with the weights, given as operand `weight`.
    return lambda arrays, result: prod(arrays[0].shape) * int(arrays[weight].shape[-1])


def _lstm(arrays: Any, result: Any) -> int:
    steps = prod(arrays[0].shape[:-1])
    projection = arrays[4] if len(arrays) > 4 else None
    return _recurrence(3)(arrays, result) + (0 if projection is None else steps * prod(projection.shape))


#: Multiply-adds of the kernels that are made of them, by operands and result.
_COSTS: Final[dict[str, Callable[[Any, Any], int]]] = {
    "matmul": _product,
    "mm": _product,
    "bmm": _product,
    "addmm": _linear,
    "linear": _linear,
    "convolution_of": _convolution,
    "convolution_input_gradient": _transposed_convolution,
    "attention": _attention,
    "rnn_sequence": _recurrence(2),
    "gru_sequence": _recurrence(2),
    "lstm_sequence": _lstm,
}


@dataclass(slots=True)
class Layer:
    """A module of a model, and what it did.

    Attributes:
        name: its path in the model, empty for the model itself.
        kind: its class.
        depth: how deep it lies.
        output: shapes of the tensors it returned last; empty if it was not called.
        parameters: elements of its own parameters, without those of modules within it or shared with one before.
        trainable: those of them that require gradients.
        multiply_adds: of its calls, without those of modules within it.
        calls: how often it was called.
    """

    name: str
    kind: str
    depth: int
    output: list[tuple[int, ...]] = field(default_factory=list)
    parameters: int = 0
    trainable: int = 0
    multiply_adds: int = 0
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Summary:
    """The layers of a model, and the sums over them; ``str`` makes a table.

    Attributes:
        layers: the model and all modules in it, those within one after it.
        parameters: number of parameters' elements.
        trainable: those of them that require gradients.
        multiply_adds: of one call, biases and elementwise arithmetic left out.
        input_bytes: size of the inputs.
        output_bytes: size of what the modules without others in them returned, in all calls.
        parameter_bytes: size of parameters and buffers.
    """

    layers: list[Layer]
    parameters: int
    trainable: int
    multiply_adds: int
    input_bytes: int
    output_bytes: int
    parameter_bytes: int

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain containers and numbers, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        rows = [("layer", "output shape", "parameters", "multiply-adds")]
        for layer in self.layers:
            name = layer.name.rpartition(".")[2]
            label = "  " * layer.depth + (f"{name}: {layer.kind}" if name else layer.kind)
            shapes = ", ".join(str(list(shape)) for shape in layer.output[:3]) + ", …" * (len(layer.output) > 3)
            calls = f" ×{layer.calls}" if layer.calls > 1 else ""
            frozen = " (frozen)" if layer.parameters and not layer.trainable else ""
            rows.append((
                label + calls,
                shapes or "-",
                f"{layer.parameters:,}{frozen}" if layer.parameters else "-",
                f"{layer.multiply_adds:,}" if layer.multiply_adds else "-",
            ))  # fmt: skip
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        rule = "─" * (sum(widths) + 6)
        lines = [
            f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}".rstrip() for a, b, c, d in rows
        ]
        untrained = self.parameters - self.trainable
        total = self.input_bytes + self.output_bytes + self.parameter_bytes
        return "\n".join((
            lines[0], rule, *lines[1:], rule,
            f"parameters     {self.parameters:,}" + (f", {untrained:,} of them frozen" if untrained else ""),
            f"multiply-adds  {self.multiply_adds:,}",
            f"size           {_size(total)}: inputs {_size(self.input_bytes)}, outputs of layers "
            f"{_size(self.output_bytes)}, parameters and buffers {_size(self.parameter_bytes)}",
        ))  # fmt: skip

    def __repr__(self) -> str:
        return str(self)


def _size(count: int) -> str:
    value, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{count} B" if unit == "B" else f"{value:.2f} {unit}"


class _Counter(Observer):
    """Adds the multiply-adds of kernels to the layer whose forward runs."""

    def __init__(self) -> None:
        self.open: list[Layer] = []

    def kernel(self, op: Any, kind: Any, kernel: Callable[..., Any]) -> Callable[..., Any]:
        cost = _COSTS.get(op.name)
        if cost is None:
            return kernel

        def counted(*arrays: Any, **attributes: Any) -> Any:
            result = kernel(*arrays, **attributes)
            if self.open:
                self.open[-1].multiply_adds += cost(arrays, result)
            return result

        return counted


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _tensors(each)
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _tensors(each)


def _inputs(
    model: Any, input_size: Any, input_data: Any, dtypes: Any, device: Any
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The positional and named inputs to call ``model`` with."""
    if (input_size is None) == (input_data is None):
        raise ValueError("summary: give either input_size or input_data")
    if input_data is not None:
        if isinstance(input_data, Mapping):
            return (), dict(input_data)
        return (tuple(input_data) if isinstance(input_data, (tuple, list)) else (input_data,)), {}
    from tensorcore.dtypes import get_default_dtype
    from tensorcore.ops.creation import zeros
    from tensorcore.ops.random import rand
    from tensorcore.random.generator import fork_rng

    single = all(isinstance(each, int) for each in input_size)
    sizes = [input_size] if single else list(input_size)
    if not all(
        isinstance(size, Sequence) and all(isinstance(side, int) and side >= 0 for side in size) for size in sizes
    ):
        raise TypeError(f"summary: input_size is a shape or several, batch included; got {input_size!r}")
    kinds = [get_default_dtype()] * len(sizes) if dtypes is None else list(dtypes)
    if len(kinds) != len(sizes):
        raise ValueError(f"summary: {len(kinds)} dtypes for {len(sizes)} inputs")
    if device is None:
        first = next(iter(model.parameters()), None)
        device = None if first is None else first.device
    with fork_rng():
        return tuple(
            rand(*size, dtype=kind, device=device)
            if kind.is_floating_point
            else zeros(*size, dtype=kind, device=device)
            for size, kind in zip(sizes, kinds, strict=True)
        ), {}


def summary(
    model: Any,
    input_size: Any = None,
    input_data: Any = None,
    *,
    dtypes: Sequence[Any] | None = None,
    device: Any = None,
    depth: int | None = None,
) -> Summary:
    """The layers of ``model`` with output shapes, parameters, multiply-adds and sizes, found by calling it once.

    The call is made in evaluation mode and without gradients; generators are left as they are, and so is the model, but
    for lazy modules, which get their parameters.

    Args:
        model: a module.
        input_size: shape of the input, batch included, or a list of shapes of several; floats are drawn at random,
            others are 0.
        input_data: in its place the input itself; a tuple or list of several, a dict of named ones.
        dtypes: of the inputs; the default dtype.
        device: of the inputs; that of the model's first parameter.
        depth: how deep layers are shown; those below count to the one that is shown.

    Raises:
        ValueError, TypeError: for both or neither of ``input_size`` and ``input_data``, or what is no shape.

    Example:
        >>> import tensorcore as tc
        >>> print(tc.summary(tc.nn.Sequential(tc.nn.Linear(4, 3), tc.nn.ReLU()), (2, 4)))
        layer        output shape  parameters  multiply-adds
        ────────────────────────────────────────────────────
        Sequential   [2, 3]                 -              -
          0: Linear  [2, 3]                15             24
          1: ReLU    [2, 3]                 -              -
        ────────────────────────────────────────────────────
        parameters     15
        multiply-adds  24
        size           140 B: inputs 32 B, outputs of layers 48 B, parameters and buffers 60 B
    """
    from tensorcore.autograd import no_grad
    from tensorcore.nn.parameter import is_lazy
    from tensorcore.random.generator import fork_rng

    arguments, named = _inputs(model, input_size, input_data, dtypes, device)
    layers: dict[int, Layer] = {}
    for name, module in model.named_modules():
        layers[id(module)] = Layer(name, type(module).__name__, name.count(".") + bool(name))
    counter = _Counter()
    output_bytes = 0

    def enter(module: Any, inputs: Any) -> None:
        counter.open.append(layers[id(module)])

    def leave(module: Any, inputs: Any, result: Any) -> None:
        nonlocal output_bytes
        layer = counter.open.pop()
        layer.calls += 1
        found = list(_tensors(result))
        layer.output = [tuple(each.shape) for each in found]
        if not any(True for _ in module.children()):
            output_bytes += sum(each.nbytes for each in found)

    modules = list(model.modules())
    modes = [module.training for module in modules]
    hooks = [handle for module in modules for handle in (
        module.register_forward_pre_hook(enter), module.register_forward_hook(leave, prepend=True)
    )]  # fmt: skip
    observe(counter)
    try:
        model.eval()
        with no_grad(), fork_rng():
            model(*arguments, **named)
    finally:
        stop_observing(counter)
        for handle in hooks:
            handle.remove()
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode

    seen: set[int] = set()
    for module in modules:  # only now, as lazy ones have their parameters now
        layer = layers[id(module)]
        layer.kind = type(module).__name__
        for parameter in module.parameters(recurse=False):
            if id(parameter) not in seen and not is_lazy(parameter):
                seen.add(id(parameter))
                layer.parameters += parameter.numel()
                layer.trainable += parameter.numel() * parameter.requires_grad
    kept = {id(each): each for each in (*model.parameters(), *model.buffers()) if not is_lazy(each)}
    parameters, trainable, multiply_adds = (
        sum(getattr(each, name) for each in layers.values()) for name in ("parameters", "trainable", "multiply_adds")
    )
    return Summary(
        layers=_folded(list(layers.values()), depth),
        parameters=parameters,
        trainable=trainable,
        multiply_adds=multiply_adds,
        input_bytes=sum(each.nbytes for each in _tensors((arguments, named))),
        output_bytes=output_bytes,
        parameter_bytes=sum(each.nbytes for each in kept.values()),
    )


def _folded(layers: list[Layer], depth: int | None) -> list[Layer]:
    """The layers down to ``depth``, with the figures of deeper ones added to theirs."""
    if depth is None:
        return layers
    shown: list[Layer] = []
    for layer in layers:
        if layer.depth <= depth:
            shown.append(layer)
            continue
        owner = shown[-1]
        owner.parameters += layer.parameters
        owner.trainable += layer.trainable
        owner.multiply_adds += layer.multiply_adds
    return shown
