"""Reductions, running totals, orders and matrix products."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from tensorcore.dtypes import BOOL, FLOATING, INTEGER, bool_, int64
from tensorcore.onnx.converters.registry import calculated, converts, wide

if TYPE_CHECKING:
    from tensorcore.onnx.probing import Call
    from tensorcore.onnx.writer import Writer

_REDUCED = {"sum": "ReduceSum", "prod": "ReduceProd", "amax": "ReduceMax", "amin": "ReduceMin", "mean": "ReduceMean",
            "logsumexp": "ReduceLogSumExp", "any": "ReduceMax", "all": "ReduceMin"}  # fmt: skip
_PICKED = {"argmax": "ArgMax", "argmin": "ArgMin"}
_NORMS = {1: "ReduceL1", 2: "ReduceL2"}


def _operand(w: Writer, call: Call) -> tuple[Any, str]:
    x = call.inputs[0]
    assert x is not None
    return x, w.names[x.number]


@converts("sum", "prod")
def _total(w: Writer, call: Call) -> str:
    x, name = _operand(w, call)
    out = call.outputs[0].dtype
    through = wide(out)
    name = name if x.dtype is through else w.cast(name, through)
    name = w.reduce(_REDUCED[call.op.name], name, call.attributes["dim"], call.attributes["keepdim"])
    return name if through is out else w.cast(name, out)


@converts("amax", "amin")
def _extreme(w: Writer, call: Call) -> str:
    facts = call.attributes
    return calculated(call, w, lambda x: w.reduce(_REDUCED[call.op.name], x, facts["dim"], facts["keepdim"]))


@converts("mean", "logsumexp", when=lambda opset, inputs, attributes: inputs[0].numel() > 0)
def _mean(w: Writer, call: Call) -> str:
    facts = call.attributes
    return w.reduce(_REDUCED[call.op.name], _operand(w, call)[1], facts["dim"], facts["keepdim"])


@converts("linalg_vector_norm", when=lambda opset, inputs, a: a["ord"] in _NORMS and len(a["dim"]) > 0)
def _norm(w: Writer, call: Call) -> str:
    facts = call.attributes
    return w.reduce(_NORMS[int(facts["ord"])], _operand(w, call)[1], facts["dim"], facts["keepdim"])


@converts("any", "all")
def _truth(w: Writer, call: Call) -> str:
    from tensorcore.dtypes import int32

    x, name = _operand(w, call)
    name = name if x.dtype.category == BOOL else w.cast(name, bool_)
    facts = call.attributes
    return w.cast(w.reduce(_REDUCED[call.op.name], w.cast(name, int32), facts["dim"], facts["keepdim"]), bool_)


@converts(*_PICKED)
def _picked(w: Writer, call: Call) -> str:
    facts = call.attributes
    kind = _PICKED[call.op.name]
    return calculated(call, w, lambda x: w.node(kind, x, axis=facts["dim"], keepdims=int(facts["keepdim"])), back=False)


@converts("cumsum")
def _cumsum(w: Writer, call: Call) -> str:
    x, name = _operand(w, call)
    out = call.outputs[0].dtype
    through = wide(out)
    name = name if x.dtype is through else w.cast(name, through)
    name = w.node("CumSum", name, w.constant(call.attributes["dim"], int64))
    return name if through is out else w.cast(name, out)


@converts("cumprod")
def _cumprod(w: Writer, call: Call) -> str:
    # ONNX has no running product: each is the product of what a triangle lets through.
    x, name = _operand(w, call)
    out = call.outputs[0].dtype
    through = wide(out)
    dim = call.attributes["dim"]
    name = name if x.dtype is through else w.cast(name, through)
    rank, side = len(x.shape), x.shape[dim]
    steps = w.node("Range", w.constant(0, int64), w.whole(side), w.constant(1, int64))
    earlier = w.node("Not", w.node("Greater", w.unsqueeze(steps, [0]), w.unsqueeze(steps, [1])))
    # (..., 1, side, rest) against the triangle (side, side, 1...): row i holds the elements up to i.
    mask = w.unsqueeze(earlier, list(range(2, rank - dim + 1))) if rank - dim > 1 else earlier
    one = w.constant(1 if through.category == INTEGER else 1.0, through)
    parts = w.node("Where", mask, w.unsqueeze(name, [dim]), one)
    name = w.reduce("ReduceProd", parts, [dim + 1], False)
    return name if through is out else w.cast(name, out)


def _ordered(w: Writer, call: Call, count: Any, largest: bool, is_sorted: bool) -> list[str]:
    x, name = _operand(w, call)
    through = wide(x.dtype)
    name = name if through is x.dtype else w.cast(name, through)
    facts = {"axis": call.attributes["dim"], "largest": int(largest), "sorted": int(is_sorted)}
    values, places = w.nodes_of("TopK", 2, name, w.size(count), **facts)
    return [values if through is x.dtype else w.cast(values, x.dtype), places]


@converts("sort")
def _sort(w: Writer, call: Call) -> list[str]:
    x, _ = _operand(w, call)
    return _ordered(w, call, x.shape[call.attributes["dim"]], call.attributes["descending"], True)


@converts("topk", when=lambda opset, inputs, attributes: inputs[0].ndim > 0)
def _topk(w: Writer, call: Call) -> list[str]:
    facts = call.attributes
    return _ordered(w, call, facts["k"], facts["largest"], facts["sorted"])


@converts("matmul")
def _matmul(w: Writer, call: Call) -> str:
    return calculated(call, w, lambda a, b: w.node("MatMul", a, b))


@converts("linear", when=lambda opset, inputs, attributes: inputs[1].ndim == 2 and inputs[0].ndim > 0)
def _linear(w: Writer, call: Call) -> str:
    x, weight, bias = (*call.inputs, None)[:3]
    assert x is not None and weight is not None
    if len(x.shape) == 2 and x.dtype.category == FLOATING:
        return w.node("Gemm", w.name(x), w.name(weight), w.name(bias), transB=1)
    out = w.node("MatMul", w.name(x), w.node("Transpose", w.name(weight), perm=[1, 0]))
    return out if bias is None else w.node("Add", out, w.name(bias))


@converts("attention")
def _attention(w: Writer, call: Call) -> list[str]:
    query, key, value, mask = (*call.inputs, None)[:4]
    assert query is not None and key is not None and value is not None
    dtype, rank = query.dtype, len(query.shape)
    scale = call.attributes["scale"]
    order = [*range(rank - 2), rank - 1, rank - 2]
    scaled = w.names[query.number] if scale == 1 else w.node("Mul", w.name(query), w.number(scale, dtype))
    scores = w.node("MatMul", scaled, w.node("Transpose", w.name(key), perm=order))
    hidden = w.constant(-math.inf, dtype)
    if call.attributes["is_causal"]:
        rows, columns = (
            w.node("Range", w.constant(0, int64), w.whole(each.shape[-2]), w.constant(1, int64))
            for each in (query, key)
        )
        later = w.node("Less", w.unsqueeze(rows, [1]), columns)
        scores = w.node("Where", later, hidden, scores)
    elif mask is not None and mask.dtype.category == BOOL:
        scores = w.node("Where", w.name(mask), scores, hidden)
    elif mask is not None:
        scores = w.node("Add", scores, w.name(mask))
    weights = w.node("Softmax", scores, axis=rank - 1 if w.opset < 13 else -1)
    if mask is not None and not call.attributes["is_causal"]:
        # A row of which all is masked takes nothing.
        weights = w.node("Where", w.node("IsNaN", weights), w.constant(0.0, dtype), weights)
    logs = w.reduce("ReduceLogSumExp", scores, [rank - 1], True)
    if mask is not None:
        logs = w.node("Where", w.node("Equal", logs, hidden), w.constant(math.inf, dtype), logs)
    return [w.node("MatMul", weights, w.name(value)), logs]
