"""Update rules of optimizers, each in one pass over memory, for all parameters of a group in one call.

A rule is written once, as operations on elements. Where the device writes machine code they become one loop that runs
over every parameter; elsewhere NumPy works them off in blocks that stay in the cache.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from operator import itemgetter
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import numpy as np

from tensorcore.backend.contract import Array
from tensorcore.dtypes import DType, float32, float64
from tensorcore.ops.record import REGISTRY
from tensorcore_cpu.jit.executable import data_offset, isa, loaded
from tensorcore_cpu.jit.functions import LOWERINGS
from tensorcore_cpu.jit.updates import rows_of_arrays
from tensorcore_cpu.jit.vectors import Body, contracted
from tensorcore_cpu.quiet import quiet

__all__ = ["OptimizerKernels"]

#: Elements of a block of one array.
BLOCK: Final = 1 << 14

Numbers = dict[str, float]


class Rule(NamedTuple):
    """An update rule.

    Attributes:
        numbers: the numbers it uses, from its attributes and the values of the operands that are numbers.
        formula: ``formula(f, on, n, param, grad, *state)``, the new parameter and state: ``f`` has functions of
            elements, ``on`` says which attributes are other than 0, ``n`` has the numbers; state may be ``None``.
    """

    numbers: Callable[..., Numbers]
    formula: Callable[..., tuple[Any, ...]]


def _directed(on: dict[str, bool], n: Any, param: Any, grad: Any, decayed: bool = True) -> Any:
    """The gradient with its sign and, if it is not decoupled, weight decay."""
    if on["maximize"]:
        grad = -grad
    return param * n.weight_decay + grad if decayed and on["weight_decay"] else grad


def _chosen(lr: float, rate: float | None) -> float:
    return lr if rate is None else rate


# ------------------------------------------------------------------ the rules


def _sgd_numbers(a: Any, rate: float | None) -> Numbers:
    return {"lr": _chosen(a["lr"], rate), "momentum": a["momentum"], "fresh": 1 - a["dampening"]}


def _sgd(f: Any, on: dict[str, bool], n: Any, param: Any, grad: Any, buffer: Any) -> tuple[Any, ...]:
    grad = _directed(on, n, param, grad)
    if buffer is None:
        return (param - grad * n.lr,)
    buffer = buffer * n.momentum + (grad * n.fresh if on["dampening"] else grad)
    return param - (buffer * n.momentum + grad if on["nesterov"] else buffer) * n.lr, buffer


def _moments(a: Any) -> Numbers:
    return {"fresh1": 1 - a["beta1"], "keep2": a["beta2"], "fresh2": 1 - a["beta2"], "eps": a["eps"]}


def _adam_numbers(a: Any, step: float, rate: float | None) -> Numbers:
    lr, root = _chosen(a["lr"], rate), math.sqrt(1 - a["beta2"] ** step)
    # sqrt(v) / root + eps is (sqrt(v) + eps root) / root, which saves a division.
    numbers = {"size": lr * root / (1 - a["beta1"] ** step), "floor": a["eps"] * root}
    return _moments(a) | numbers | {"keep": 1 - lr * a["weight_decay"]}


def _with_moments(on: Any, n: Any, param: Any, grad: Any, mean: Any, square: Any) -> tuple[Any, ...]:
    """The decayed parameter, the gradient, and its first and second moment."""
    decoupled = on.get("decoupled_weight_decay", False)
    grad = _directed(on, n, param, grad, not decoupled)
    if decoupled and on["weight_decay"]:
        param = param * n.keep
    return param, grad, mean + (grad - mean) * n.fresh1, square * n.keep2 + grad * grad * n.fresh2


def _adam(
    f: Any, on: dict[str, bool], n: Any, param: Any, grad: Any, mean: Any, square: Any, largest: Any
) -> tuple[Any, ...]:
    param, grad, mean, square = _with_moments(on, n, param, grad, mean, square)
    if largest is not None:
        largest = f.maximum(largest, square)
    param = param - mean / (f.sqrt(square if largest is None else largest) + n.floor) * n.size
    return (param, mean, square) if largest is None else (param, mean, square, largest)


def _adamax_numbers(a: Any, step: float, rate: float | None) -> Numbers:
    return _moments(a) | {"size": _chosen(a["lr"], rate) / (1 - a["beta1"] ** step)}


def _adamax(f: Any, on: dict[str, bool], n: Any, param: Any, grad: Any, mean: Any, top: Any) -> tuple[Any, ...]:
    grad = _directed(on, n, param, grad)
    mean = mean + (grad - mean) * n.fresh1
    top = f.maximum(top * n.keep2, f.abs(grad) + n.eps)
    return param - mean / top * n.size, mean, top


def _nadam_numbers(a: Any, step: float, mu_product: float, rate: float | None) -> Numbers:
    lr, beta1 = _chosen(a["lr"], rate), a["beta1"]
    mu, following = (beta1 * (1 - 0.5 * 0.96 ** (at * a["momentum_decay"])) for at in (step, step + 1))
    return _moments(a) | {
        "root": 1 / math.sqrt(1 - a["beta2"] ** step), "keep": 1 - lr * a["weight_decay"],
        "by_grad": lr * (1 - mu) / (1 - mu_product), "by_mean": lr * following / (1 - mu_product * following),
    }  # fmt: skip


def _nadam(f: Any, on: dict[str, bool], n: Any, param: Any, grad: Any, mean: Any, square: Any) -> tuple[Any, ...]:
    param, grad, mean, square = _with_moments(on, n, param, grad, mean, square)
    spread = f.sqrt(square) * n.root + n.eps
    return param - (grad * n.by_grad + mean * n.by_mean) / spread, mean, square


def _radam_numbers(a: Any, step: float, rate: float | None) -> Numbers:
    lr, beta2 = _chosen(a["lr"], rate), a["beta2"]
    bias2, longest = 1 - beta2**step, 2 / (1 - beta2) - 1
    length = longest - 2 * step * beta2**step / bias2
    size = lr / (1 - a["beta1"] ** step)
    numbers = _moments(a) | {"keep": 1 - lr * a["weight_decay"], "plain": size, "scaled": 0.0}
    if length > 5:
        rectified = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        numbers |= {"plain": 0.0, "scaled": size * math.sqrt(rectified * bias2)}
    return numbers


def _radam(f: Any, on: dict[str, bool], n: Any, param: Any, grad: Any, mean: Any, square: Any) -> tuple[Any, ...]:
    param, grad, mean, square = _with_moments(on, n, param, grad, mean, square)
    # One of the two numbers is 0: early steps are not scaled.
    return param - mean * (n.scaled / (f.sqrt(square) + n.eps) + n.plain), mean, square


def _rmsprop_numbers(a: Any, rate: float | None) -> Numbers:
    alpha = a["alpha"]
    return {
        "lr": _chosen(a["lr"], rate), "keep": alpha, "fresh": 1 - alpha, "eps": a["eps"], "momentum": a["momentum"]
    }  # fmt: skip


def _rmsprop(
    f: Any, on: dict[str, bool], n: Any, param: Any, grad: Any, square: Any, buffer: Any, mean: Any
) -> tuple[Any, ...]:
    grad = _directed(on, n, param, grad)
    square = square * n.keep + grad * grad * n.fresh
    spread = square
    if mean is not None:
        mean = mean + (grad - mean) * n.fresh
        spread = square - mean * mean
    update = grad / (f.sqrt(spread) + n.eps)
    if buffer is not None:
        update = buffer = buffer * n.momentum + update
    return (param - update * n.lr, *(x for x in (square, buffer, mean) if x is not None))


def _adagrad_numbers(a: Any, step: float, rate: float | None) -> Numbers:
    return {"lr": _chosen(a["lr"], rate) / (1 + (step - 1) * a["lr_decay"]), "eps": a["eps"]}


def _adagrad(f: Any, on: dict[str, bool], n: Any, param: Any, grad: Any, total: Any) -> tuple[Any, ...]:
    grad = _directed(on, n, param, grad)
    total = total + grad * grad
    return param - grad / (f.sqrt(total) + n.eps) * n.lr, total


def _adadelta_numbers(a: Any, rate: float | None) -> Numbers:
    return {"lr": _chosen(a["lr"], rate), "keep": a["rho"], "fresh": 1 - a["rho"], "eps": a["eps"]}


def _adadelta(f: Any, on: dict[str, bool], n: Any, param: Any, grad: Any, square: Any, moved: Any) -> tuple[Any, ...]:
    grad = _directed(on, n, param, grad)
    square = square * n.keep + grad * grad * n.fresh
    delta = f.sqrt(moved + n.eps) / f.sqrt(square + n.eps) * grad
    return param - delta * n.lr, square, moved * n.keep + delta * delta * n.fresh


def _asgd_numbers(a: Any, eta: float, mu: float) -> Numbers:
    return {"eta": eta, "keep": 1 - eta * a["lambd"], "mu": mu, "old": 1 - mu}


def _asgd(f: Any, on: dict[str, bool], n: Any, param: Any, grad: Any, ax: Any) -> tuple[Any, ...]:
    param = param * n.keep - _directed(on, n, param, grad) * n.eta
    return param, ax * n.old + param * n.mu


def _rprop_numbers(a: Any) -> Numbers:
    return {
        "shrink": a["eta_minus"], "grow": a["eta_plus"], "least": a["step_size_min"], "most": a["step_size_max"]
    }  # fmt: skip


def _rprop(f: Any, on: dict[str, bool], n: Any, param: Any, grad: Any, before: Any, size: Any) -> tuple[Any, ...]:
    grad = -grad if on["maximize"] else grad
    agreement = grad * before
    turned = f.lt(agreement, 0.0)
    size = f.where(f.gt(agreement, 0.0), size * n.grow, f.where(turned, size * n.shrink, size))
    size = f.minimum(f.maximum(size, n.least), n.most)
    grad = f.where(turned, 0.0, grad)
    return param - f.sign(grad) * size, grad, size


_RULES: Final = {
    "sgd_update": Rule(_sgd_numbers, _sgd), "adam_update": Rule(_adam_numbers, _adam),
    "adamax_update": Rule(_adamax_numbers, _adamax), "nadam_update": Rule(_nadam_numbers, _nadam),
    "radam_update": Rule(_radam_numbers, _radam), "rmsprop_update": Rule(_rmsprop_numbers, _rmsprop),
    "adagrad_update": Rule(_adagrad_numbers, _adagrad), "adadelta_update": Rule(_adadelta_numbers, _adadelta),
    "asgd_update": Rule(_asgd_numbers, _asgd), "rprop_update": Rule(_rprop_numbers, _rprop),
}  # fmt: skip

#: The functions that formulas use, of arrays and of vectors in registers.
_OF_ARRAYS: Final = SimpleNamespace(
    sqrt=np.sqrt, abs=np.abs, sign=np.sign, maximum=np.maximum, minimum=np.minimum, lt=np.less, gt=np.greater,
    where=np.where,
)  # fmt: skip
_OF_VECTORS: Final = SimpleNamespace(
    **{name: LOWERINGS[name] for name in ("sqrt", "abs", "sign", "maximum", "minimum", "lt", "gt")},
    where=lambda mask, yes, no: mask.select(yes, no),
)


# ------------------------------------------------------------------ running them


class Update:
    """The kernel of one rule for one dtype: of a single parameter when called, of many by `many`."""

    def __init__(self, name: str, native: Any) -> None:
        op = REGISTRY[name]
        assert op.promotes is not None
        self.rule, self.native = _RULES[name], native
        self.places = op.promotes
        self.of_numbers = [place for place in range(len(op.operands)) if place not in op.promotes]
        self.compiles = native in (np.float32, np.float64)
        self.programs: dict[Any, Callable[..., Any]] = {}

    def __call__(self, *operands: Array | None, out: Sequence[Array] | None = None, **attributes: Any) -> Any:
        row = list(operands)
        held = [place for place in self.places if place != 1 and row[place] is not None]
        for result, place in zip(out or [None] * len(held), held, strict=True):
            if result is None:
                row[place] = np.array(row[place], order="C")
            elif result is not row[place]:
                result[...] = row[place]
                row[place] = result
        self.many([row], **attributes)
        return tuple([row[place] for place in held])

    def many(self, rows: Sequence[Sequence[Array | None]], **attributes: Any) -> None:
        """Update the parameter and the state of each row in place."""
        on = {name: bool(value) for name, value in attributes.items()}
        # Rows that use the same numbers and have the same state are one call.
        alike: dict[Any, list[tuple[Array, ...]]] = {}
        first = rows[0]
        arrays_of = itemgetter(*[place for place in self.places if first[place] is not None])
        of_numbers = [place for place in self.of_numbers if first[place] is not None]
        if not of_numbers:
            alike[()] = list(map(arrays_of, rows))
        for row in rows if of_numbers else ():
            numbers = tuple([row[place].item() for place in of_numbers])  # type: ignore[union-attr]
            alike.setdefault(numbers, []).append(arrays_of(row))
        held = tuple([first[place] is not None for place in self.places])
        for numbers, group in alike.items():
            given = iter(numbers)
            values = [None if first[place] is None else next(given) for place in self.of_numbers]
            known = self.rule.numbers(attributes, *values)
            if on.get("weight_decay"):
                known["weight_decay"] = attributes["weight_decay"]
            if self.compiles and isa() is not None:
                self._run(group, held, on, known)
            else:
                self._by_blocks(group, held, on, known)

    def _run(self, group: list[tuple[Array, ...]], held: tuple[bool, ...], on: dict[str, bool], known: Numbers) -> None:
        table: list[int] = []
        kept = []
        count = 0
        for arrays in group:
            if not all([x.flags.c_contiguous for x in arrays]):
                if not all([x.flags.c_contiguous for place, x in enumerate(arrays) if place != 1]):
                    self._by_blocks([arrays], held, on, known)
                    continue
                # A gradient that is a transposed view: a copy costs less than going through all by rows.
                kept.append(np.ascontiguousarray(arrays[1]))
                arrays = (arrays[0], kept[-1], *arrays[2:])
            table.append(arrays[0].size)
            table += map(id, arrays)
            count += 1
        if count:
            # With their names: callers give settings in any order.
            key = (held, *on.items())
            program = self.programs.get(key)
            if program is None:
                program = self.programs[key] = self._compile(held, on, list(known))
            rows, numbers = np.array(table, np.int64), np.array([*known.values()], self.native)
            program(count, 0, id(rows), id(numbers))

    def _compile(self, held: tuple[bool, ...], on: dict[str, bool], names: list[str]) -> Callable[..., Any]:
        best, offset = isa(), data_offset()
        assert best is not None and offset is not None
        body = Body(self.native.itemsize == 8, best.wide)
        n = SimpleNamespace(**{name: body.input(0, place) for place, name in enumerate(names)})
        arrays = iter(range(1, 1 + sum(held)))
        at = [next(arrays) if there else None for there in held]
        results = self.rule.formula(_OF_VECTORS, on, n, *[None if x is None else body.input(x) for x in at])
        for array, result in zip([x for x in at if x is not None and x != 2], results, strict=True):
            body.store(array, result)
        return loaded(rows_of_arrays(contracted(body), best, sum(held), offset), 2)

    def _by_blocks(
        self, group: list[tuple[Array, ...]], held: tuple[bool, ...], on: dict[str, bool], known: Numbers
    ) -> None:
        n = SimpleNamespace(**known)
        for arrays in group:
            for parts in _blocks(arrays):
                given = iter(parts)
                results = self.rule.formula(_OF_ARRAYS, on, n, *[next(given) if there else None for there in held])
                for target, result in zip([parts[0], *parts[2:]], results, strict=True):
                    target[...] = result


def _blocks(arrays: Sequence[Array]) -> Iterator[Sequence[Array]]:
    """The arrays (parameter, gradient, ...), all of one shape, in blocks; what is not contiguous as it is."""
    first = arrays[0]
    if first.size <= BLOCK or not all(array.flags.c_contiguous for array in arrays):
        yield arrays
        return
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, first.size, BLOCK):
        yield [array[start : start + BLOCK] for array in flat]


@cache
def _update(name: str, native: Any) -> Update:
    return Update(name, native)


def _kernel(name: str) -> Callable[..., Any]:
    def kernel(self: Any, param: Array, *operands: Any, **attributes: Any) -> Any:
        return _update(name, param.dtype)(param, *operands, **attributes)

    return kernel


@cache
def _many(name: str, dtype: str) -> Callable[..., None]:
    return quiet(_update(name, np.dtype(dtype)).many)


class OptimizerKernels:
    """The kernels of the rules; results go to the arrays ``out``, which may be the operands, or to new ones."""

    sgd_update = _kernel("sgd_update")
    adam_update = _kernel("adam_update")
    adamax_update = _kernel("adamax_update")
    nadam_update = _kernel("nadam_update")
    radam_update = _kernel("radam_update")
    rmsprop_update = _kernel("rmsprop_update")
    adagrad_update = _kernel("adagrad_update")
    adadelta_update = _kernel("adadelta_update")
    asgd_update = _kernel("asgd_update")
    rprop_update = _kernel("rprop_update")

    def multi_tensor_kernel(self, name: str, dtype: DType, index: int) -> Callable[..., None] | None:
        """The kernel of the rule ``name`` for many parameters."""
        return _many(name, dtype.name) if name in _RULES and dtype in (float32, float64) else None
