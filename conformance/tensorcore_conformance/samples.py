"""Samples for records that state none, and why some ops have no case of their own."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from tensorcore import dtypes
from tensorcore.ops.record import REGISTRY, Op
from tensorcore_conformance.arrays import names
from tensorcore_conformance.more_samples import MORE_SAMPLES

__all__ = [
    "ELSEWHERE",
    "SAMPLES",
    "broadcasts",
    "is_elementwise",
    "is_on_matrices",
    "may_repeat",
    "samples_of",
    "uncovered",
]

_UNARY = ((3, 4), (), (0,), (1,), (2, 0, 3), (2, 1, 3), (2, 1, 2, 3, 1, 2))
_BINARY = (
    ((3, 4), (3, 4)),
    ((3, 1), (4,)),
    ((), (3,)),
    ((2, 3), ()),
    ((0, 3), (1, 3)),
    ((1,), (1, 1)),
    ((2, 3, 4), (3, 1)),
    ((3, 1, 4), (3, 2, 4)),
    ((2, 1, 2, 1, 3, 1), (1, 3, 2, 2, 1, 2)),
)
_TERNARY = (((3, 4),) * 3, ((4,), (3, 1), ()), ((0, 3), (3,), (1, 1)))

#: Ops whose records cannot say how they are called.
SAMPLES: dict[str, tuple[dict[str, Any], ...]] = {
    "full": (
        {"shapes": (), "args": ((2, 3), 1.5)},
        {"shapes": (), "args": ((), 7)},
        {"shapes": (), "args": ((0, 2), True)},
    ),
    "ramp": tuple({"shapes": (), "args": (*call, dtype)} for call, dtype in (
        ((0, 1, 5), dtypes.int64), ((-3, 2, 4), dtypes.int32), ((0.5, 0.25, 6), dtypes.float32),
        ((0, 1, 0), dtypes.float32), ((0.1, 0.1, 1000), dtypes.float32), ((2**24 - 3, 1, 9), dtypes.int64),
        ((2**53 + 1, -3, 4), dtypes.int64),
    )),
    "zeros": ({"shapes": (), "args": (2, 3)}, {"shapes": (), "args": ((),)}, {"shapes": (), "args": ((0, 4),)}),
    "ones": ({"shapes": (), "args": (2, 3)}, {"shapes": (), "args": ((),)}),
    "arange": tuple({"shapes": (), "args": args} for args in ((5,), (1, 10, 3), (0.0, 1.0, 0.3))),
    "linspace": tuple({"shapes": (), "args": args} for args in ((0.0, 1.0, 7), (3.0, -1.0, 1), (0.0, 1.0, 0))),
    "logspace": ({"shapes": (), "args": (0.0, 2.0, 5)},),
    "range": ({"shapes": (), "args": (1, 4)}, {"shapes": (), "args": (0.0, 1.0, 0.25)}),
    "eye": ({"shapes": (), "args": (3,)}, {"shapes": (), "args": (2, 4)}),
    "new_zeros": ({"shapes": ((2,),), "args": (3, 2)},),
    "new_ones": ({"shapes": ((2,),), "args": ((2, 2),)},),
    "new_full": ({"shapes": ((2,),), "args": ((2, 2), 3)},),
    "alias": tuple({"shapes": (shape,)} for shape in _UNARY),
    "real_part": ({"shapes": ((3, 4),)}, {"shapes": ((),)}),
    "imag_part": ({"shapes": ((3, 4),)}, {"shapes": ((0, 2),)}),
    "imag": ({"shapes": ((3, 4),)},),
    "view_as_real": ({"shapes": ((3, 4),)},),
    "clone": ({"shapes": ((3, 4),)}, {"shapes": ((),)}),
    "contiguous": ({"shapes": ((3, 4),)},),
    "cast": tuple(
        {"shapes": ((3, 4),), "args": (dtype,), "domains": ((0, 2) if dtype is dtypes.bool_ else (0, 100),)}
        for dtype in dtypes.ALL
    ),
    "view": ({"shapes": ((3, 4),), "args": (2, 6)}, {"shapes": ((0, 4),), "args": (4, 0)}),
    "type_as": ({"shapes": ((3, 4), (1,)), "dtypes": (None, "float64")},),
    "reshape_as": ({"shapes": ((3, 4), (2, 6))},),
    "chain_matmul": ({"shapes": ((2, 3), (3, 4), (4, 2))}, {"shapes": ((2, 3),)}),
    "block_diag": ({"shapes": ((2, 3), (1, 2))},),
    "cartesian_prod": ({"shapes": ((2,), (3,))},),
    "atleast_1d": tuple({"shapes": (shape,)} for shape in ((), (3,), (2, 3))),
    "atleast_2d": tuple({"shapes": (shape,)} for shape in ((), (3,), (2, 3))),
    "atleast_3d": tuple({"shapes": (shape,)} for shape in ((), (3,), (2, 3))),
    "tril_indices": ({"shapes": (), "args": (3, 4)}, {"shapes": (), "args": (3, 3, -1)}),
    "triu_indices": ({"shapes": (), "args": (3, 4)}, {"shapes": (), "args": (3, 3, 1)}),
    **{
        f"max_unpool{count}d": (
            {"shapes": ((1, 1, *(2,) * count),) * 2, "dtypes": (None, "int64"), "domains": (None, (0, 4**count)),
             "args": (2,), "distinct": True},
        )
        for count in (1, 2, 3)
    },
    # Negative floats have no defined value as unsigned integers.
    "byte": ({"shapes": ((3, 4),), "domains": ((0, 100),)},),
    "view_as": ({"shapes": ((3, 4), (2, 6))},),
    "expand_as": ({"shapes": ((3, 1), (3, 4))},),
    "broadcast_tensors": ({"shapes": ((3, 1), (4,))},),
    "allclose": ({"shapes": ((3,), (3,))},),
    "equal": ({"shapes": ((3,), (3,))},),
    "view_as_complex": ({"shapes": ((3, 2),)},),
}  # fmt: skip

#: Ops whose meaning, or whether they can be, depends on how the operand lies in memory.
LAID_OUT = names(
    "view view_as view_copy as_strided as_strided_copy as_strided_scatter view_as_complex view_as_complex_copy"
)

#: Ops without a case of their own, and where they are checked, or why not.
ELSEWHERE: dict[str, str] = {
    "assign": "every in-place form and indexed assignment runs through it",
    "copy_": "in-place area: copying with broadcast and conversion",
    "fill_": "in-place area", "zero_": "in-place area",
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell"),
                    "takes lists of tensors; the records of sequences and cells under them are judged"),
    "multi_head_attention_forward": "made of products and softmax, which are judged; compared with PyTorch's",
    "fake_quantize_per_channel_affine": "`fake_quantize` under it is judged",
    "segment_reduce": "`reduce_segments` under it is judged",
    "detach_": "the graph's business, not the device's",
    "set_": "makes a tensor another, which touches no device", "resize_as_": "changes the tensor, not its memory",
    "embedding_renorm_": "in place; `embedding` with `max_norm` does the same, and is compared with PyTorch's",
    "apply_": "calls a Python function on each element", "map_": "calls a Python function on each element",
    "map2_": "calls a Python function on each element",
    "fill_diagonal_": "indexing area: written by index",
    "reparameterized_gamma": "gives its operand, and a gradient that is not its expression's: `gamma_slope`",
    "resize_": "changes the tensor, not its memory", "as_strided_": "`as_strided`, for the tensor itself",
    "untyped_storage": "gives memory, no tensor", "storage": "gives memory, no tensor",
    "storage_type": "gives a class", "const_data_ptr": "gives an address", "dim_order": "gives dimensions",
    "is_set_to": "gives a bool", "slice_inverse": "looks beyond its operand, and is an `as_strided`",
    "empty_strided": "its elements are unspecified", "new_empty_strided": "its elements are unspecified",
    "empty_permuted": "its elements are unspecified", "from_front": "indexing area: every index runs through it",
    "to": "transfers area", "cpu": "transfers area", "cuda": "transfers area, where the device is cuda",
    "empty": "its elements are unspecified", "empty_like": "its elements are unspecified",
    "new_empty": "its elements are unspecified", "new_tensor": "transfers area: data from the host",
    "random_words": "random area: every draw uses it",
    "philox_uniform": "random area: bit-equal to the reference device",
    "uniform_by_ticket": "random area: bit-equal to the reference device",
    "integers_by_ticket": "random area: bit-equal to the reference device",
    "exponential_by_ticket": "random area: equal to the reference device's",
    "normal_by_ticket": "random area: equal to the reference device's",
}  # fmt: skip


def is_elementwise(op: Op) -> bool:
    """Whether the op takes tensors alone (other arguments have defaults), states no samples, and so broadcasts."""
    if (
        op.name.endswith("_")
        or op.samples is not None
        or op.name in SAMPLES
        or op.name in ELSEWHERE
        or op.random
        or not op.operands
        or op.variadic
    ):
        return False
    names = set(op.operands)
    if any(
        op.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
        for name in names
        if name in op.signature.parameters
    ):
        return False
    rest = [each for name, each in op.signature.parameters.items() if name not in names]
    return all(
        each.default is not each.empty for each in rest if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ) and not any(each.kind is each.VAR_POSITIONAL for each in rest)


def samples_of(op: Op) -> tuple[dict[str, Any], ...]:
    """The samples of a record: its own, this module's, or shapes that any elementwise op takes; then further ones."""
    return _samples(op.name)


@cache
def _samples(name: str) -> tuple[dict[str, Any], ...]:
    return (*_usual_samples(name), *MORE_SAMPLES.get(name, ()))


def _usual_samples(name: str) -> tuple[dict[str, Any], ...]:
    op = REGISTRY[name]
    if name in SAMPLES:
        return SAMPLES[name]
    if op.samples is not None:
        stated: Callable[[], Any] | Any = op.samples
        own = tuple(stated() if callable(stated) else stated)
        return own + tuple(_edges(op, own))
    if not is_elementwise(op):
        return ()
    if len(op.operands) == 1:
        return tuple({"shapes": (shape,)} for shape in _UNARY)
    return tuple({"shapes": shapes} for shapes in (_BINARY if len(op.operands) == 2 else _TERNARY))


def _edges(op: Op, own: tuple[dict[str, Any], ...]) -> Iterator[dict[str, Any]]:
    """0-d, empty and size-1 operands, for ops that state only what any elementwise op takes: shapes."""
    if not own or any(set(sample) - {"shapes", "domains"} for sample in own):
        return
    plain = len(op.operands) == len(op.signature.parameters) and not op.view
    if plain and len(op.operands) == 1 and op.name in _ELEMENTWISE_COMPOSITES:
        yield from ({"shapes": (shape,)} for shape in _UNARY[1:])
    elif plain and len(op.operands) == 2 and op.name in _ELEMENTWISE_COMPOSITES:
        yield from ({"shapes": shapes} for shapes in _BINARY[2:])


_ELEMENTWISE_COMPOSITES = names(
    "square rsqrt reciprocal log2 log10 exp2 positive frac isnan isinf isfinite signbit logical_and "
    "logical_or logical_xor logical_not fmod truncated_divide sigmoid logsigmoid relu silu erf erfc erfinv "
    "softsign tanhshrink hypot logaddexp xlogy special_xlog1py copysign heaviside sinc deg2rad rad2deg lgamma "
    "digamma sgn fmax fmin isclose"
)


#: Ops on matrices that are named as in PyTorch's top namespace.
_ON_MATRICES = names(
    "cholesky cholesky_inverse cholesky_solve corrcoef det inverse least_squares logdet lu lu_solve lu_unpack "
    "orgqr ormqr pinverse qr slogdet svd triangular_solve"
)


def is_on_matrices(op: Op) -> bool:
    """Whether the op factors matrices or solves with them: they need full rank, and the largest element sets errors."""
    return op.name.startswith("linalg_") or op.name in _ON_MATRICES


def may_repeat(op: Op, sample: dict[str, Any]) -> bool:
    """Whether operands of the sample may hold equal elements, as those that are expanded do.

    Bins between equal limits end where their elements lie, so that rounding decides what is in which.
    """
    return not sample.keys() & {"prepare", "distinct"} and not is_on_matrices(op) and not op.name.startswith("hist")


def broadcasts(op: Op) -> bool:
    """Whether the op computes each element of its broadcast operands alone, so that any elements can be tried."""
    return is_elementwise(op) or (
        op.name in _ELEMENTWISE_COMPOSITES and len(op.operands) == len(op.signature.parameters)
    )


def uncovered() -> list[str]:
    """Ops without samples that no area accounts for: whoever adds an op gives it samples."""
    return [
        name
        for name, op in REGISTRY.items()
        if not op.random and name not in ELSEWHERE and not samples_of(op) and not _is_inplace_form(name)
    ]


def _is_inplace_form(name: str) -> bool:
    """Whether the op is the in-place form of another, whose cases check it."""
    return name.endswith("_") and name[:-1] in REGISTRY
