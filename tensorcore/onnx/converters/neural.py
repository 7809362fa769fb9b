"""Layers: activations, convolutions, pooling, normalisation, resizing, dropout, random draws."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import FLOATING, float32
from tensorcore.onnx.converters.registry import CONVERTERS, converts, one
from tensorcore.onnx.errors import UnsupportedOperatorError
from tensorcore.onnx.varying import Varying
from tensorcore.onnx.writer import element_type

if TYPE_CHECKING:
    from tensorcore.onnx.probing import Call, Value
    from tensorcore.onnx.writer import Writer


def _operand(call: Call, place: int = 0) -> Value:
    x = call.inputs[place]
    assert x is not None
    return x


# ------------------------------------------------------------------ activations

CONVERTERS["hardsigmoid"] = one("HardSigmoid", alpha=1 / 6, beta=0.5)


@converts("relu")
def _relu(w: Writer, call: Call) -> str:
    x = _operand(call)
    if x.dtype.category == FLOATING:
        return w.node("Relu", w.name(x))
    return w.node("Max", w.name(x), w.constant(0, x.dtype))


@converts("silu")
def _silu(w: Writer, call: Call) -> str:
    x = w.name(_operand(call))
    return w.node("Mul", x, w.node("Sigmoid", x))


@converts("hardswish")
def _hardswish(w: Writer, call: Call) -> str:
    x = w.name(_operand(call))
    if w.opset >= 14:
        return w.node("HardSwish", x)
    return w.node("Mul", x, w.node("HardSigmoid", x, alpha=1 / 6, beta=0.5))


@converts("gelu", when=lambda opset, inputs, attributes: opset >= 20)
def _gelu(w: Writer, call: Call) -> str:
    return w.node("Gelu", w.name(_operand(call)), approximate=call.attributes["approximate"])


@converts("mish", when=lambda opset, inputs, attributes: opset >= 18)
def _mish(w: Writer, call: Call) -> str:
    return w.node("Mish", w.name(_operand(call)))


@converts("softplus", when=lambda opset, inputs, a: a["beta"] == 1 and a["threshold"] >= 20)
def _softplus(w: Writer, call: Call) -> str:
    return w.node("Softplus", w.name(_operand(call)))


@converts("elu", when=lambda opset, inputs, attributes: attributes["input_scale"] == 1)
def _elu(w: Writer, call: Call) -> str:
    out = w.node("Elu", w.name(_operand(call)), alpha=float(call.attributes["alpha"]))
    scale = call.attributes["scale"]
    return out if scale == 1 else w.node("Mul", w.constant(float(scale), _operand(call).dtype), out)


@converts("leaky_relu")
def _leaky_relu(w: Writer, call: Call) -> str:
    return w.node("LeakyRelu", w.name(_operand(call)), alpha=float(call.attributes["negative_slope"]))


@converts("hardshrink", "softshrink")
def _shrink(w: Writer, call: Call) -> str:
    lambd = float(call.attributes["lambd"])
    return w.node("Shrink", w.name(_operand(call)), lambd=lambd, bias=lambd if call.op.name == "softshrink" else 0.0)


@converts("softmax", "log_softmax", when=lambda opset, inputs, attributes: inputs[0].ndim > 0)
def _softmax(w: Writer, call: Call) -> str:
    kind = "Softmax" if call.op.name == "softmax" else "LogSoftmax"
    x, dim = _operand(call), call.attributes["dim"]
    last = len(x.shape) - 1
    if w.opset >= 13 or dim == last:
        return w.node(kind, w.name(x), axis=dim)
    # Up to opset 12 all dimensions from the axis on are one.
    order = [*(d for d in range(last + 1) if d != dim), dim]
    turned = w.node(kind, w.node("Transpose", w.name(x), perm=order), axis=last)
    return w.node("Transpose", turned, perm=[order.index(d) for d in range(last + 1)])


# ------------------------------------------------------------------ convolution and pooling


@converts("convolution_of")
def _convolution(w: Writer, call: Call) -> str:
    weight, a = _operand(call, 1), call.attributes
    return w.node(
        "Conv", *map(w.name, call.inputs), kernel_shape=weight.shape[2:], strides=a["stride"],
        pads=(*a["padding"], *a["padding"]), dilations=a["dilation"], group=a["groups"],
    )  # fmt: skip


@converts("convolution_input_gradient")
def _transposed(w: Writer, call: Call) -> str:
    x, weight = _operand(call), _operand(call, 1)
    a = call.attributes
    facts = zip(a["size"], x.shape[2:], weight.shape[2:], a["stride"], a["padding"], a["dilation"], strict=True)
    extra = [size - ((side - 1) * s - 2 * p + d * (k - 1) + 1) for size, side, k, s, p, d in facts]
    return w.node(
        "ConvTranspose", *map(w.name, call.inputs), kernel_shape=weight.shape[2:], strides=a["stride"],
        pads=(*a["padding"], *a["padding"]), dilations=a["dilation"], group=a["groups"], output_padding=extra,
    )  # fmt: skip


def _windows(sides: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, counts: Any) -> tuple[list[Any], bool]:
    """Padding before and after so that as many windows fit, and whether their number has to be rounded up."""
    ends, up = [], False
    for side, k, s, p, d, n in zip(sides, kernel, stride, padding, dilation, counts, strict=True):
        reach = (k - 1) * d + 1
        if n == (side + 2 * p - reach) // s + 1:
            ends.append(p)
            continue
        need = (n - 1) * s + reach - side - p
        up = up or isinstance(need, Varying)
        ends.append(p if isinstance(need, Varying) else need)
    return ends, up


def _plain(opset: int, inputs: Any, a: dict[str, Any]) -> bool:
    ends, _ = _windows(inputs[0].shape[2:], a["kernel"], a["stride"], a["padding"], (1,) * len(a["kernel"]),
                       a["counts"])  # fmt: skip
    return tuple(ends) == tuple(a["padding"])


def _by_blocks(w: Writer, call: Call, kind: str) -> str | None:
    """Pooling by a reduction of blocks, where the windows, side by side, are as large as a dynamic side asks."""
    a, x = call.attributes, _operand(call)
    if not any(isinstance(k, Varying) for k in a["kernel"]) or a["kernel"] != a["stride"] or any(a["padding"]):
        return None
    if any(side != n * k for side, n, k in zip(x.shape[2:], a["counts"], a["kernel"], strict=True)):
        return None
    blocks = [side for pair in zip(a["counts"], a["kernel"], strict=True) for side in pair]
    name = w.node("Reshape", w.name(x), w.sizes([*x.shape[:2], *blocks]))
    return w.reduce(kind, name, range(3, 3 + len(blocks), 2), False)


@converts("avg_pool", when=_plain)
def _avg_pool(w: Writer, call: Call) -> str:
    a, x = call.attributes, _operand(call)
    whole = _by_blocks(w, call, "ReduceMean")
    if whole is not None:
        return whole
    divisor = a["divisor"]
    out = w.node(
        "AveragePool", w.name(x), kernel_shape=a["kernel"], strides=a["stride"],
        pads=(*a["padding"], *a["padding"]), count_include_pad=int(a["include_pad"] or divisor is not None),
    )  # fmt: skip
    if divisor is None:
        return out
    return w.node("Mul", out, w.constant(math.prod(a["kernel"]) / divisor, x.dtype))


def _pooled(w: Writer, call: Call, outputs: int) -> list[str]:
    a, x = call.attributes, _operand(call)
    ends, up = _windows(x.shape[2:], a["kernel"], a["stride"], a["padding"], a["dilation"], a["counts"])
    through = x.dtype if x.dtype.category == FLOATING else float32
    name = w.names[x.number] if through is x.dtype else w.cast(w.names[x.number], through)
    made = w.nodes_of(
        "MaxPool", outputs, name, kernel_shape=a["kernel"], strides=a["stride"], pads=(*a["padding"], *ends),
        dilations=a["dilation"], ceil_mode=int(up),
    )  # fmt: skip
    return made if through is x.dtype else [w.cast(made[0], x.dtype), *made[1:]]


def _exact(opset: int, inputs: Any, attributes: Any) -> bool:
    dtype = inputs[0].dtype
    return dtype.category == FLOATING or dtype.itemsize < 3


@converts("max_pool", when=_exact)
def _max_pool(w: Writer, call: Call) -> str:
    return _by_blocks(w, call, "ReduceMax") or _pooled(w, call, 1)[0]


@converts("max_pool_with_places", when=_exact)
def _max_pool_with_places(w: Writer, call: Call) -> list[str]:
    values, places = _pooled(w, call, 2)
    # ONNX counts over the whole tensor, PyTorch over the sides of a channel.
    count: Any = 1
    for side in _operand(call).shape[2:]:
        count = count * side
    return [values, w.node("Mod", places, w.whole(count))]


@converts("resampled", when=lambda opset, inputs, a: not a["antialias"] and a["mode"] in ("bilinear", "bicubic"))
def _resampled(w: Writer, call: Call) -> str:
    x, a = _operand(call), call.attributes
    side, size, dim = x.shape[a["dim"]], a["size"], a["dim"]
    linear = a["mode"] == "bilinear"
    facts: dict[str, Any] = {
        "mode": "linear" if linear else "cubic",
        "coordinate_transformation_mode": "align_corners" if a["align"] else "half_pixel",
        "cubic_coeff_a": None if linear else -0.75,
    }
    # Rows of the one dimension: runtimes resize the last dimensions of images.
    rank = len(x.shape)
    order = [*(d for d in range(rank) if d != dim), dim]
    name = w.names[x.number] if dim == rank - 1 else w.node("Transpose", w.name(x), perm=order)
    turned = [x.shape[d] for d in order]
    lead: Any = 1
    for each in turned[:-1]:
        lead = lead * each
    name = w.reshape(name, (1, 1, lead, side))
    region = w.constant([], float32) if w.opset < 13 else None
    ratio = side / size
    scale = a["scale"]
    near = not isinstance(ratio, Varying) and not isinstance(scale, Varying) and math.isclose(ratio, scale)
    if a["align"] or near or (isinstance(ratio, Varying) and _close(ratio, scale)):
        sizes = w.sizes((1, 1, lead, size))
        name = w.node("Resize", name, region, region, sizes, **facts)
    else:
        scales = w.node("Concat", w.constant([1.0, 1.0, 1.0], float32),
                        w.unsqueeze(w.number(1 / scale, float32), [0]), axis=0)  # fmt: skip
        name = w.node("Resize", name, region, scales, **facts)
    name = w.reshape(name, [*turned[:-1], size])
    return name if dim == rank - 1 else w.node("Transpose", name, perm=[order.index(d) for d in range(rank)])


def _close(ratio: Varying, scale: Any) -> bool:
    others = scale.values if isinstance(scale, Varying) else (scale,) * len(ratio.values)
    return all(math.isclose(a, b) for a, b in zip(ratio.values, others, strict=True))


@converts("grid_values", when=lambda opset, inputs, attributes: opset >= 16 and inputs[0].ndim == 4)
def _grid_values(w: Writer, call: Call) -> str:
    a = call.attributes
    mode = {"bilinear": "linear", "bicubic": "cubic"}.get(a["mode"], a["mode"]) if w.opset >= 20 else a["mode"]
    names = map(w.name, call.inputs)
    return w.node("GridSample", *names, mode=mode, padding_mode=a["padding"], align_corners=int(a["align"]))


# ------------------------------------------------------------------ normalisation


def _sides(w: Writer, given: Value | None, value: float, shape: Any, dtype: Any) -> str:
    """A weight or bias, or what stands for one left out."""
    return w.names[given.number] if given is not None else w.expand(w.constant(value, dtype), shape, ())


@converts("batch_norm_inference")
def _batch_norm(w: Writer, call: Call) -> str:
    x, mean, variance, weight, bias = (*call.inputs, None, None)[:5]
    assert x is not None and mean is not None and variance is not None
    scale, shift = (_sides(w, each, value, mean.shape, x.dtype) for each, value in ((weight, 1.0), (bias, 0.0)))
    return w.node(
        "BatchNormalization", w.name(x), scale, shift, w.name(mean), w.name(variance), epsilon=call.attributes["eps"]
    )


def _has_layer_norm(opset: int, inputs: Any, attributes: dict[str, Any]) -> bool:
    return opset >= 17 and attributes["ndim"] > 0


@converts("native_layer_norm", when=_has_layer_norm)
def _layer_norm(w: Writer, call: Call) -> list[str]:
    x, weight, bias = (*call.inputs, None, None)[:3]
    assert x is not None
    ndim = call.attributes["ndim"]
    scale = _sides(w, weight, 1.0, x.shape[len(x.shape) - ndim :], x.dtype)
    return w.nodes_of(
        "LayerNormalization", 3, w.name(x), scale, w.name(bias), axis=-ndim, epsilon=call.attributes["eps"]
    )


# ------------------------------------------------------------------ random numbers


@converts("dropout_by_ticket")
def _dropout(w: Writer, call: Call) -> list[str]:
    x, a = _operand(call), call.attributes
    if w.opset < 12:
        w.since(12, "dropout that drops")
    if tuple(a["shape"]) != tuple(x.shape):
        raise UnsupportedOperatorError("ONNX's Dropout drops single elements, no channels; export with training=EVAL")
    if math.isclose(a["scale"], 1 / a["keep"], rel_tol=1e-6):
        ratio, training = w.constant(1.0 - a["keep"], float32), w.constant(True, _bool())
        return w.nodes_of("Dropout", 2, w.name(x), ratio, training)
    raise UnsupportedOperatorError(f"ONNX's Dropout scales by 1 / {a['keep']}, not by {a['scale']}")


def _bool() -> Any:
    from tensorcore.dtypes import bool_

    return bool_


@converts("normal_by_ticket", "uniform_by_ticket", "integers_by_ticket")
def _drawn(w: Writer, call: Call) -> str:
    a, out = call.attributes, call.outputs[0]
    facts: dict[str, Any]
    if call.op.name == "normal_by_ticket":
        kind, facts = "RandomNormal", {"mean": float(a["mean"]), "scale": float(a["std"])}
    else:
        kind, facts = "RandomUniform", {"low": float(a["low"]), "high": float(a["low"] + a["span"])}
    dtype = out.dtype if out.dtype.category == FLOATING else float32
    if all(isinstance(side, int) for side in out.shape):
        made = w.node(kind, shape=list(out.shape), dtype=element_type(dtype), **facts)
    else:
        like = w.node("ConstantOfShape", w.sizes(out.shape))
        made = w.node(f"{kind}Like", like, dtype=element_type(dtype), **facts)
    return made if dtype is out.dtype else w.cast(w.node("Floor", made), out.dtype)


@converts("random_words", "exponential_by_ticket", "philox_uniform")
def _refused(w: Writer, call: Call) -> str:
    raise UnsupportedOperatorError(
        "the model draws random numbers that ONNX has no op for; draw them outside and give them as an input"
    )
