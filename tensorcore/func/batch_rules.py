"""Batching rules written out, and the table of which op goes by which."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tensorcore.dtypes import BOOL, int64
from tensorcore.errors import ReadError
from tensorcore.func.batched import Batched, filled, front, moved_to
from tensorcore.func.batching import (
    Rule,
    aligned,
    along,
    elementwise,
    expressed,
    folding,
    leading,
    looped,
    results,
    rule,
)
from tensorcore.ops.creation import ramp
from tensorcore.ops.elementwise import mul
from tensorcore.ops.indexing import take
from tensorcore.ops.linalg import matmul
from tensorcore.ops.movement import expand, permute, reshaped
from tensorcore.tensor import user_line

if TYPE_CHECKING:
    from tensorcore.ops.record import Op

# ------------------------------------------------------------------ movement


def _reshape(op: Op, size: int, a: Batched, *, shape: tuple[int, ...]) -> Batched:
    return Batched(reshaped(front(a), (size, *shape)), 0)


def _permute(op: Op, size: int, a: Batched, *, dims: tuple[int, ...]) -> Batched:
    at = a.dim
    assert at is not None
    return Batched(permute.emit(a.outer, dims=(at, *[d + (d >= at) for d in dims])), 0)


def _expand(op: Op, size: int, a: Batched, *, shape: tuple[int, ...]) -> Batched:
    return Batched(expand.emit(aligned(a, len(shape)), shape=(size, *shape)), 0)


def _flip(op: Op, size: int, a: Batched, *, dims: tuple[int, ...]) -> Batched:
    at = a.dim
    assert at is not None
    return Batched(op.emit(a.outer, dims=tuple([d + (d >= at) for d in dims])), at)


def _basic(op: Op, size: int, *arrays: Batched, index: tuple[Any, ...]) -> Batched:
    whole = (slice(0, size, 1), *index)
    return Batched(op.emit(*[filled(a, size) for a in arrays], index=whole), 0)


def _roll(op: Op, size: int, a: Batched, *, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Batched:
    if dims:
        return Batched(op.emit(front(a), shifts=shifts, dims=tuple([d + 1 for d in dims])), 0)
    flat = reshaped(front(a), (size, math.prod(a.shape)))
    return Batched(reshaped(op.emit(flat, shifts=shifts, dims=(1,)), (size, *a.shape)), 0)


def _placed_in(op: Op, size: int, a: Batched, *, index: tuple[Any, ...], shape: Any, value: Any) -> Batched:
    return Batched(op.emit(front(a), index=(slice(0, size, 1), *index), shape=(size, *shape), value=value), 0)


def _as_strided(op: Op, count: int, a: Batched, *, size: Any, stride: Any, shift: int, own: Any) -> Batched:
    """Each example as if it lay in memory of its own."""
    whole = front(a)
    steps = whole._kind.backend.strides(whole._array)
    if steps is None:
        return looped(op)(a, size=size, stride=stride, shift=shift, own=own)
    step = steps[0]
    return Batched(op.emit(whole, size=(count, *size), stride=(step, *stride), shift=shift, own=(step, *own)), 0)


def _view_as_complex(op: Op, count: int, a: Batched) -> Batched:
    at: Any = a.dim
    # Pairs lie last, so the examples must not.
    return Batched(op.emit(a.outer), at) if at < len(a.shape) else Batched(op.emit(front(a).contiguous()), 0)


def _pinv(op: Op, count: int, a: Batched, *tolerances: Batched | None, **attributes: Any) -> Batched:
    shape = a.shape[:-2]
    given = [None if t is None else aligned(t, len(shape)) for t in tolerances]
    return Batched(op.emit(filled(a, count), *given, **attributes), 0)


# ------------------------------------------------------------------ indices


def _numbers(size: int, like: Batched, ndim: int) -> Any:
    """The number of each example, over ``ndim`` further dimensions."""
    places = ramp(0, 1, size, int64, like.outer._kind.device)
    return reshaped(places, (size, *(1,) * ndim))


def _indexed_places(size: int, indices: tuple[Batched, ...]) -> tuple[Any, ...]:
    """Places that differ between examples, behind the examples' own numbers."""
    shape = (size, *indices[0].shape)
    own = expand.emit(_numbers(size, indices[0], len(indices[0].shape)), shape=shape)
    return own, *[filled(each, size) for each in indices]


def _index(op: Op, size: int, a: Batched, *indices: Batched) -> Batched:
    if all(each.dim is None for each in indices):
        behind = moved_to(a.outer, a.dim, len(indices))  # type: ignore[arg-type]
        return Batched(op.emit(behind, *[each.outer for each in indices]), len(indices[0].shape))
    if a.dim is None:
        return Batched(op.emit(a.outer, *[filled(each, size) for each in indices]), 0)
    return Batched(op.emit(front(a), *_indexed_places(size, indices)), 0)


def _index_put(op: Op, size: int, a: Batched, value: Batched, *indices: Batched, accumulate: bool) -> Batched:
    if all(each.dim is None for each in indices):
        places = [each.outer for each in indices]
        base = moved_to(filled(a, size), 0, len(indices))
        new = moved_to(filled(value, size), 0, len(indices[0].shape))
        return Batched(op.emit(base, new, *places, accumulate=accumulate), len(indices))
    places = list(_indexed_places(size, indices))
    return Batched(op.emit(filled(a, size), filled(value, size), *places, accumulate=accumulate), 0)


def _index_select(op: Op, size: int, a: Batched, index: Batched, *, dim: int) -> Batched:
    if index.dim is None:
        return Batched(op.emit(front(a), index.outer, dim=dim + 1), 0)
    rows = moved_to(filled(a, size), dim + 1, 1)
    picked = take.emit(rows, *_indexed_places(size, (index,)))
    return Batched(moved_to(picked, 1, dim + 1), 0)


def _nonzero(op: Op, size: int, a: Batched) -> NoReturn:
    raise ReadError(
        f"vmap: the shape of a result depends on values at {user_line()} (nonzero, masked_select, a bool tensor as an "
        "index, unique, ...), so examples would differ in shape; use tc.where, or a fixed number of places (topk, sort)"
    )


def _search(op: Op, size: int, rows: Batched, a: Batched, *, right: bool) -> Batched:
    if rows.dim is None and len(rows.shape) == 1:
        return Batched(op.emit(rows.outer, a.outer, right=right), a.dim)
    if len(rows.shape) == 1 and len(a.shape) != 1:
        flat = reshaped(filled(a, size), (size, math.prod(a.shape)))
        return Batched(reshaped(op.emit(front(rows), flat, right=right), (size, *a.shape)), 0)
    return Batched(op.emit(filled(rows, size), filled(a, size), right=right), 0)


def _weigh(op: Op, size: int, places: Batched, weights: Batched, *, length: int) -> Batched:
    """The totals of all examples side by side, each with places of its own."""
    apart = filled(places, size) + _numbers(size, places, 1) * length
    flat = [reshaped(x, (size * places.shape[0],)) for x in (apart, filled(weights, size))]
    return Batched(reshaped(op.emit(*flat, length=size * length), (size, length)), 0)


def _reduce_segments(op: Op, size: int, a: Batched, lengths: Batched, *, axis: int, **attributes: Any) -> Any:
    if lengths.dim is not None:
        lead = filled(a, size), front(lengths)
        return Batched(op.emit(*lead, axis=axis + 1, **attributes), 0)
    return looped(op)(a, lengths, axis=axis, **attributes)


# ------------------------------------------------------------------ products


def _matmul(op: Op, size: int, a: Batched, b: Batched) -> Batched:
    rows, columns = a.shape[-2], b.shape[-1]
    if b.dim is None and len(b.shape) == 2:
        # One product of all rows, instead of one for each example.
        x = front(a)
        product = op.emit(reshaped(x, (math.prod(x._array.shape[:-1]), x._array.shape[-1])), b.outer)
        return Batched(reshaped(product, (*x._array.shape[:-1], columns)), 0)
    if a.dim is None and len(a.shape) == 2 and len(b.shape) == 2 and columns == 1:
        # Columns of all examples side by side; they come out as rows.
        side = reshaped(front(b), (size, b.shape[0]))
        product = op.emit(a.outer, permute.emit(side, dims=(1, 0)))
        return Batched(reshaped(permute.emit(product, dims=(1, 0)), (size, rows, 1)), 0)
    ndim = max(len(a.shape), len(b.shape))
    # Outer products, as of the gradients of single examples by weights, are products of elements.
    multiply = mul.emit if a.shape[-1] == 1 and a.outer._kind.dtype.category != BOOL else op.emit
    return Batched(multiply(aligned(a, ndim), aligned(b, ndim)), 0)


def _linear(op: Op, size: int, a: Batched, weight: Batched, bias: Batched | None) -> Batched:
    if weight.dim is None and (bias is None or bias.dim is None):
        return Batched(op.emit(front(a), weight.outer, None if bias is None else bias.outer), 0)
    if weight.dim is None and a.dim is not None:
        product = op.emit(front(a), weight.outer, None)
    elif weight.dim is None:
        product = op.emit(a.outer, weight.outer, None)
    else:
        matrices = permute.emit(front(weight), dims=(0, 2, 1))
        lead = a.shape[:-1]
        if a.dim is None:
            product = matmul.emit(reshaped(a.outer, (math.prod(lead), a.shape[-1])), matrices)
        else:
            product = matmul.emit(reshaped(front(a), (size, math.prod(lead), a.shape[-1])), matrices)
        product = reshaped(product, (size, *lead, weight.shape[0]))
    if bias is None:
        return Batched(product, 0)
    batched = product._array.shape[: len(product._array.shape) - len(a.shape)]
    whole = Batched(product, 0 if batched else None)
    return Batched(aligned(whole, len(a.shape)) + aligned(bias, len(a.shape)), 0)


# ------------------------------------------------------------------ convolutions


def _joined(a: Batched, size: int, place: int) -> Any:
    """All examples with theirs joined to dimension ``place``, as the outer part of it."""
    whole = moved_to(filled(a, size), 0, place)
    shape = whole._array.shape
    return reshaped(whole, (*shape[:place], shape[place] * shape[place + 1], *shape[place + 2 :]))


def _parted(x: Any, size: int, place: int) -> Batched:
    """The inverse of `_joined`."""
    shape = x._array.shape
    return Batched(reshaped(x, (*shape[:place], size, shape[place] // size, *shape[place + 1 :])), place)


def _convolution(op: Op, size: int, a: Batched, weight: Batched, bias: Batched | None, **attributes: Any) -> Any:
    if weight.dim is None and (bias is None or bias.dim is None):
        made = op.emit(_joined(a, size, 0), weight.outer, None if bias is None else bias.outer, **attributes)
        return _parted(made, size, 0)
    # Examples as groups of channels, each with its own weights.
    groups = attributes.pop("groups") * size
    biases = None if bias is None else _joined(bias, size, 0)
    return _parted(op.emit(_joined(a, size, 1), _joined(weight, size, 0), biases, groups=groups, **attributes), size, 1)


def _convolution_input(op: Op, count: int, grad: Batched, weight: Batched, **attributes: Any) -> Any:
    if weight.dim is None:
        return _parted(op.emit(_joined(grad, count, 0), weight.outer, **attributes), count, 0)
    groups = attributes.pop("groups") * count
    return _parted(op.emit(_joined(grad, count, 1), _joined(weight, count, 0), groups=groups, **attributes), count, 1)


def _convolution_weight(op: Op, size: int, a: Batched, grad: Batched, **attributes: Any) -> Any:
    groups = attributes.pop("groups") * size
    return _parted(op.emit(_joined(a, size, 1), _joined(grad, size, 1), groups=groups, **attributes), size, 0)


# ------------------------------------------------------------------ layers


def _embedding(op: Op, size: int, index: Batched, weight: Batched, **attributes: Any) -> Any:
    if weight.dim is None:
        return Batched(op.emit(index.outer, weight.outer, **attributes), index.dim)
    if attributes.get("padding_idx") not in (None, -1) or attributes.get("scale_grad_by_freq"):
        return looped(op)(index, weight, **attributes)
    count = weight.shape[0]
    places = filled(index, size) + _numbers(size, index, len(index.shape)) * count
    return Batched(op.emit(places, reshaped(front(weight), (size * count, weight.shape[1])), **attributes), 0)


def _normalized(op: Op, size: int, a: Batched, weight: Any = None, bias: Any = None, **attributes: Any) -> Any:
    """Layer normalisation: over the last dimensions, scaled after it where weights differ between examples."""
    scales = [x for x in (weight, bias) if x is not None]
    if all(x.dim is None for x in scales):
        operands = [None if x is None else x.outer for x in (weight, bias)[: len(op.operands) - 1]]
        return results(op, op.emit(front(a), *operands, **attributes))
    made = op.emit(a.outer if a.dim is None else front(a), *[None] * (len(op.operands) - 1), **attributes)
    rest = [Batched(each, None if a.dim is None else 0) for each in made]
    out, ndim = aligned(rest[0], len(a.shape)), len(a.shape)
    if weight is not None:
        out = out * aligned(weight, ndim)
    if bias is not None:
        out = out + aligned(bias, ndim)
    return Batched(out, 0), *rest[1:]


def _batch_norm(op: Op, size: int, a: Batched, weight: Any, bias: Any, **attributes: Any) -> Any:
    scales = [None if x is None else _joined(x, size, 0) for x in (weight, bias)]
    out, *moments = op.emit(_joined(a, size, 1), *scales, **attributes)
    return _parted(out, size, 1), *[_parted(x, size, 0 if len(x._array.shape) == 1 else 1) for x in moments]


def _attention(op: Op, size: int, *arrays: Any, **attributes: Any) -> Any:
    *operands, mask = arrays
    ndim = max(len(a.shape) for a in operands)
    given = [aligned(Batched(filled(a, size), 0), ndim) for a in operands]
    return results(op, op.emit(*given, None if mask is None else aligned(mask, ndim), **attributes))


def _matrices(op: Op, size: int, *arrays: Any, **attributes: Any) -> Any:
    """Stacks of matrices whose leading dimensions broadcast, and that give one result more for each matrix."""
    if len({len(a.shape) for a in arrays if a is not None}) > 1:
        return looped(op)(*arrays, **attributes)
    return leading(op)(*arrays, **attributes)


def _transform(op: Op, _: int, a: Batched, *, dim: Any, **attributes: Any) -> Any:
    return results(op, op.emit(front(a), dim=tuple([d + 1 for d in dim]), **attributes))


# ------------------------------------------------------------------ the table


def _table() -> dict[str, Rule]:
    table: dict[str, Rule] = {}
    for build, names in _BY_BUILDER:
        table.update(dict.fromkeys(names.split(), build))
    return table


#: Ops that are refused, as shapes depend on values.
REFUSED: Final = ("nonzero_places",)

#: Ops of matrices and vectors whose leading dimensions broadcast as those of elementwise ops do.
BROADCASTING: Final = ("linalg_solve_triangular", "cdist", "vector_products")

_BY_BUILDER: Final[tuple[tuple[Rule, str], ...]] = (
    (elementwise,
     "copy alias cast round where real_part imag_part constant_pow relu hardtanh leaky_relu prelu hardsigmoid "
     "hardswish hardshrink softshrink threshold sigmoid logsigmoid silu softplus mish elu gelu tanhshrink softsign "
     "relu_gradient sigmoid_gradient silu_gradient gelu_gradient fmod square rsqrt reciprocal log2 log10 exp2 frac "
     "lerp clamp_between signbit masked_scale lgamma digamma polygamma trigamma mvlgamma special_zeta erf erfc "
     "special_erfcx erfinv special_ndtri special_ndtr special_log_ndtr frexp nextafter ldexp igamma igammac xlogy "
     "special_xlog1py special_entr logit sgn hypot copysign fmax fmin heaviside gcd lcm logaddexp logaddexp2 i0 "
     "special_i0e special_i1 special_i1e binary_entropy logistic_entropy fake_quantize complex from_front "
     "reparameterized_gamma gamma_slope"),
    (elementwise, " ".join(BROADCASTING)),
    (leading,
     "tril triu view_as_real linalg_cholesky_ex linalg_lu_factor_ex pivot_permutation linalg_inv_ex "
     "linalg_det linalg_slogdet geqrf linalg_householder_product linalg_qr linalg_eigh linalg_eigvalsh linalg_eig "
     "linalg_eigvals linalg_svd linalg_svdvals matrix_exp linalg_ldl_factor_ex "
     "framed overlapped least_squares"),
    (along("dim"),
     "sum prod amax amin any all argmax argmin cumsum cumprod sort mean nansum var std logsumexp max_along "
     "min_along values_in_order topk cummax cummin logcumsumexp kthvalue median_along mode softmax softmax_gradient "
     "log_softmax log_softmax_gradient linalg_vector_norm linalg_cross gather scatter scatter_product scatter_extreme "
     "cat stack resampled resampled_gradient resampled_nearest"),
    (along("dim1", "dim2"), "diagonal diag_embed"),
    (along("dimension"), "unfold_dimension"),
    (folding(), "windows fold_windows max_pool max_pool_gradient max_pool_with_places avg_pool avg_pool_gradient "
     "grid_values grid_image_gradient grid_point_gradient"),
    (rule(_transform), "fft_c2c fft_r2c fft_c2r"),
    (rule(_matrices), "linalg_solve_ex linalg_ldl_solve"),
    (expressed, "squared_error cross_entropy_fused nll_loss_fused linear_cross_entropy_part rnn_sequence "
     "lstm_sequence gru_sequence histogram_of_equal_bins"),
    (rule(_roll), "roll"),
    (rule(_placed_in), "placed_in"),
    (rule(_as_strided), "as_strided"),
    (rule(_view_as_complex), "view_as_complex"),
    (rule(_pinv), "linalg_pinv"),
    (rule(_reshape), "reshape"),
    (rule(_permute), "permute"),
    (rule(_expand), "expand"),
    (rule(_flip), "flip"),
    (rule(_basic), "basic_index basic_index_put"),
    (rule(_index), "index"),
    (rule(_index_put), "index_put"),
    (rule(_index_select), "index_select"),
    (rule(_nonzero), "nonzero_places"),
    (rule(_search), "search"),
    (rule(_weigh), "weigh"),
    (rule(_reduce_segments), "reduce_segments"),
    (rule(_matmul), "matmul"),
    (rule(_linear), "linear"),
    (rule(_convolution), "convolution_of"),
    (rule(_convolution_input), "convolution_input_gradient"),
    (rule(_convolution_weight), "convolution_weight_gradient"),
    (rule(_embedding), "embedding"),
    (rule(_normalized), "native_layer_norm rms_norm_with_scale"),
    (rule(_batch_norm), "batch_norm_training"),
    (rule(_attention), "attention"),
)  # fmt: skip

RULES: Final = _table()
