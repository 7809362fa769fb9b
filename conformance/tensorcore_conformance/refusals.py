"""Errors: calls that must be refused, with the class that the reference device raises, and leave the device working."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

import tensorcore as tc
import tensorcore.nn.functional as F  # the custom
from tensorcore.tensor import Tensor
from tensorcore_conformance.arrays import from_numpy, to_numpy
from tensorcore_conformance.checks import Check, area_check
from tensorcore_conformance.forward import ConformanceError, described, oracle_device
from tensorcore_conformance.limits import Limits

__all__ = ["errors_area"]

#: Calls by a fixed name; ``d`` is the device, ``x`` has shape (2, 3), ``n`` are whole numbers of shape (2, 3).
CALLS: dict[str, str] = {
    "broadcast": "x + tc.ones(2, device=d)",
    "product of (2, 3) and (2, 3)": "x @ x",
    "product of 0-d": "x @ tc.ones((), device=d)",
    "concatenated sides": "tc.cat([x, tc.ones(2, 4, device=d)])",
    "nothing to stack": "tc.stack([])",
    "stacked shapes": "tc.stack([x, x.t()])",
    "reshape": "x.reshape(5)",
    "expand": "x.expand(2, 4)",
    "dimension": "x.sum(2)",
    "dimension twice": "x.sum((0, 0))",
    "permute": "x.permute(0, 0)",
    "squeeze dimension": "x.squeeze(3)",
    "largest of nothing": "tc.zeros(0, device=d).amax()",
    "place in nothing": "tc.zeros(0, device=d).argmax()",
    "index": "x[2]",
    "too many indices": "x[0, 0, 0]",
    "index tensor": "x[tc.tensor([0, 2], device=d)]",
    "written index": "x.__setitem__(tc.tensor([0, 5], device=d), 9.0)",
    "added index": "x.index_put_((tc.tensor([0, 5], device=d),), tc.ones((), device=d), accumulate=True)",
    "scattered in place": "x.scatter_(0, tc.tensor([[0, 2, 0]], device=d), 9.0)",
    "far index": "x[tc.tensor([-3], device=d)]",
    "index in the second place": "x[:, tc.tensor([0, 3], device=d)]",
    "taken": "tc.take(x, tc.tensor([6], device=d))",
    "counted": "tc.bincount(tc.tensor([1, -1], device=d))",
    "factors of singular": "tc.linalg.lu_factor(tc.zeros(2, 2, device=d))",
    "compiled index": "tc.compile(lambda a, i: a[i] * 2)(x, tc.tensor([0, 5], device=d))",
    "gather": "x.gather(1, tc.tensor([[3]], device=d))",
    "scatter": "x.scatter(0, tc.tensor([[2, 0, 0]], device=d), x[:1])",
    "index_select": "x.index_select(0, tc.tensor([2], device=d))",
    "embedding": "F.embedding(tc.tensor([2], device=d), x)",
    "one_hot": "F.one_hot(tc.tensor([3], device=d), 3)",
    "class of cross_entropy": "F.cross_entropy(x, tc.tensor([0, 3], device=d))",
    "class of nll_loss": "F.nll_loss(x, tc.tensor([0, -1], device=d))",
    "channels": "F.conv2d(tc.ones(1, 2, 5, 5, device=d), tc.ones(1, 3, 3, 3, device=d))",
    "kernel larger than input": "F.conv2d(tc.ones(1, 1, 2, 2, device=d), tc.ones(1, 1, 3, 3, device=d))",
    "normalized shape": "F.layer_norm(x, (2,))",
    "inverse of singular": "tc.linalg.inv(tc.zeros(2, 2, device=d))",
    "solution of singular": "tc.linalg.solve(tc.zeros(2, 2, device=d), tc.ones(2, device=d))",
    "cholesky of negative": "tc.linalg.cholesky(-tc.eye(2, device=d))",
    "inverse of (2, 3)": "tc.linalg.inv(x)",
    "whole division by zero": "n // 0",
    "remainder by zero": "n % 0",
    "negative whole power": "n ** -1",
    "shift of floats": "x << 1",
    "mean of whole numbers": "n.mean()",
    "whole product with floats": "n @ x.t()",
    "written category": "n.add_(0.5)",
    "negative probability": "tc.multinomial(-x, 1)",
    "negative size": "tc.zeros(-1, device=d)",
    "number of several": "x.item()",
    "truth of several": "bool(x)",
    "gradient of several": "x.clone().requires_grad_().exp().backward()",
    "gradient twice": "(lambda y: (y.backward(), y.backward()))(x.clone().requires_grad_().exp().sum())",
    "write into a leaf": "x.clone().requires_grad_().add_(1)",
    "write into what backward needs": "(lambda y: (y.add_(1), y.sum().backward()))(x.clone().requires_grad_().exp())",
    "write into expanded": "tc.zeros(1, device=d).expand(3).add_(tc.arange(3., device=d))",
    "devices": "x + tc.ones(2, 3, device=other)",
    "ascii": "tc.tensor('text', device=d)",
    "ragged": "tc.tensor([[1.0], [1.0, 2.0]], device=d)",
}  # fmt: skip


def errors_area(device: str, limits: Limits) -> Iterator[Check]:
    """Each call raises what the reference device raises, and the device works afterwards."""
    for name, call in CALLS.items():
        yield area_check(device, "errors", name, "float32", partial(_refused, device, call))


def _attempt(device: str, call: str) -> tuple[BaseException | None, Any]:
    """What the call raises, or its result; where it raises, its operand must be as it was."""
    other = oracle_device(device)
    scope = {"tc": tc, "F": F, "d": device, "other": other}
    scope["x"] = from_numpy(np.arange(1, 7, dtype=np.float32).reshape(2, 3), device)
    scope["n"] = from_numpy(np.arange(1, 7).reshape(2, 3), device)
    try:
        result = eval(call, scope)
        # A device that works asynchronously may raise when the result is read.
        return None, to_numpy(result) if isinstance(result, Tensor) else result
    except Exception as error:
        left = to_numpy(scope["x"]).reshape(-1).tolist()
        if left != [1, 2, 3, 4, 5, 6] and device != other:
            raise ConformanceError(f"{call} was refused, and x, which held 1 to 6, holds {left}") from error
        return error, None


def _refused(device: str, call: str) -> None:
    expected, _ = _attempt(oracle_device(device), call)
    met, result = _attempt(device, call)
    if expected is None:
        # What the reference answers, others may refuse only in the same way: not at all.
        if met is not None:
            raise ConformanceError(f"{call}: {oracle_device(device)!r} answers; got {described(met)}")
        return
    if met is None:
        raise ConformanceError(f"{call}: expected {type(expected).__name__} ({expected}), got a result: {result!r}")
    if not isinstance(met, type(expected)) and not (
        inspect.isclass(type(met)) and issubclass(type(expected), type(met)) and type(met) is not Exception
    ):
        raise ConformanceError(f"{call}: expected {type(expected).__name__} ({expected}), got {described(met)}")
    if not str(met).strip():
        raise ConformanceError(f"{call}: {type(met).__name__} without a text")
    after = to_numpy(from_numpy(np.array([1, 2], np.float32), device) + 1).tolist()
    if after != [2, 3]:
        raise ConformanceError(f"after {call} was refused, [1, 2] + 1 gave {after}")
