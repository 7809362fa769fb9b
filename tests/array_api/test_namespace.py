"""The namespace as a whole: its names, promotion, gradients, inspection; and `size`, which is an int and a method."""

from __future__ import annotations

import copy
import inspect
import pickle
import subprocess
import sys

import array_api_compat
import numpy as np
import pytest

import tensorcore as tc
from tensorcore.ops.record import REGISTRY

xp = tc.array_api

#: The standard's functions, version 2025.12, by part.
STANDARD = {
    "": """
        arange asarray empty empty_like eye from_dlpack full full_like linspace meshgrid ones ones_like tril
        triu zeros zeros_like astype can_cast finfo iinfo isdtype result_type abs acos acosh add asin asinh atan
        atan2 atanh bitwise_and bitwise_left_shift bitwise_invert bitwise_or bitwise_right_shift bitwise_xor
        ceil clip conj copysign cos cosh divide equal exp expm1 floor floor_divide greater greater_equal hypot
        imag isfinite isinf isnan less less_equal log log1p log2 log10 logaddexp logical_and logical_not
        logical_or logical_xor maximum minimum multiply negative nextafter not_equal positive pow real
        reciprocal remainder round sign signbit sin sinh square sqrt subtract tan tanh trunc take
        take_along_axis matmul matrix_transpose tensordot vecdot broadcast_arrays broadcast_shapes broadcast_to
        concat expand_dims flip moveaxis permute_dims repeat reshape roll squeeze stack tile unstack argmax
        argmin count_nonzero nonzero searchsorted where isin unique_all unique_counts unique_inverse
        unique_values argsort sort cumulative_prod cumulative_sum max mean min prod std sum var all any diff
        __array_namespace_info__
    """,
    "linalg": """
        cholesky cross det diagonal eig eigh eigvals eigvalsh inv matmul matrix_norm matrix_power matrix_rank
        matrix_transpose outer pinv qr slogdet solve svd svdvals tensordot trace vecdot vector_norm
    """,
    "fft": "fft fftfreq fftn fftshift hfft ifft ifftn ifftshift ihfft irfft irfftn rfft rfftfreq rfftn",
}
#: Records whose ``standard`` is another engine's notion, no function of the namespace.
INNER = {"copy"}


@pytest.mark.parametrize("part", STANDARD)
def test_it_has_the_functions_of_the_standard_and_no_others(part):
    module = getattr(xp, part) if part else xp
    names = set(STANDARD[part].split())
    constants = set() if part else {
        "__array_api_version__", "e", "inf", "nan", "newaxis", "pi", "fft", "linalg", "bool", "complex64", "complex128",
        *(f"float{bits}" for bits in (32, 64)), *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    }  # fmt: skip
    assert set(module.__all__) == names | constants
    for name in names:
        function = getattr(module, name)
        assert function.__doc__ and function.__name__ == name and inspect.signature(function)
    if not part:
        assert dir(xp) == sorted(xp.__all__) and len(set(xp.__all__)) == len(xp.__all__)


@pytest.mark.parametrize("op", [op for op in REGISTRY.values() if op.standard != op.name], ids=lambda op: op.name)
def test_names_that_records_give_to_the_standard_are_in_it(op):
    assert hasattr(xp, op.standard) or op.standard in INNER


def test_it_is_imported_when_it_is_used():
    code = "import sys, tensorcore; print('tensorcore.array_api' in sys.modules, tensorcore.array_api.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False tensorcore.array_api\n"


@pytest.mark.parametrize("version", [None, "2021.12", "2022.12", "2023.12", "2024.12", "2025.12"])
def test_tensors_name_it(version):
    assert tc.zeros(1).__array_namespace__(api_version=version) is xp
    assert array_api_compat.array_namespace(tc.zeros(1), tc.ones(2), 1.0) is xp
    assert array_api_compat.is_array_api_obj(tc.zeros(1)) and array_api_compat.size(tc.zeros(2, 3)) == 6
    assert array_api_compat.device(tc.zeros(1)) == tc.device("cpu")


def test_other_versions_are_refused():
    with pytest.raises(ValueError, match=r"no version '2019.1'.*2025\.12"):
        tc.zeros(1).__array_namespace__(api_version="2019.1")


# ------------------------------------------------------------------ promotion


@pytest.mark.parametrize("name", [op.standard for op in REGISTRY.values() if op.elementwise and len(op.operands) == 2])
def test_functions_promote_by_dtype_alone(name):
    # Under PyTorch's rule, which the operators follow, the 0-d tensor would give way.
    if not hasattr(xp, name):
        pytest.skip("PyTorch's alone")
    floats = name in ("atan2", "divide")
    narrow, wide = (tc.float32, tc.float64) if floats else (tc.int8, tc.int64)
    one, many = tc.tensor(2, dtype=wide), tc.tensor([1, 2, 3], dtype=narrow)
    assert tc.add(one, many).dtype is narrow
    function = getattr(xp, name)
    want = tc.bool if function(many, many).dtype is tc.bool else wide
    assert function(one, many).dtype is want and function(many, one).dtype is want
    if "shift" not in name:
        kept = tc.bool if want is tc.bool else narrow
        assert function(many, 2).dtype is kept and function(2, many).dtype is kept


@pytest.mark.parametrize(
    "call",
    [
        lambda x: xp.where(x > 0, x, 0.0),
        lambda x: xp.clip(x, -0.5, tc.tensor(0.5)),
        lambda x: xp.sort(x, axis=0),
        lambda x: xp.std(x, axis=1),
        lambda x: xp.max(x, axis=()),
        lambda x: xp.min(x, axis=()),
        lambda x: xp.sum(x, axis=()),
        lambda x: xp.prod(x, axis=()),
        lambda x: xp.mean(x, axis=()),
        lambda x: xp.var(x, axis=()),
        lambda x: xp.unique_values(x),
        lambda x: xp.vecdot(x, x),
        lambda x: xp.take_along_axis(x, xp.argsort(x)),
        lambda x: xp.cumulative_sum(x, axis=1, include_initial=True),
        lambda x: xp.concat([x, x], axis=None),
        lambda x: xp.repeat(x, 2, axis=0),
        lambda x: xp.asarray(x, copy=True),
        lambda x: xp.astype(x, xp.float64),
        lambda x: xp.linalg.trace(x),
        lambda x: xp.fft.irfft(xp.fft.rfft(x)),
        lambda x: xp.linalg.vector_norm(x, axis=()),
        lambda x: xp.logaddexp(x, 1.0),
        lambda x: xp.sign(x),
        lambda x: xp.hypot(2.0, x),
        lambda x: xp.diff(x, prepend=x),
        lambda x: xp.roll(x, (1, 2), axis=(0, 1)),
        lambda x: xp.linalg.solve(x[:3, :3] + 9 * xp.eye(3), x[:3, 0]),
        lambda x: xp.expand_dims(x, (0, -1)),
    ],
)
def test_gradients_flow(call):
    x = tc.randn(3, 4, dtype=tc.float64, requires_grad=True)
    assert tc.autograd.gradcheck(call, (x,))


# ------------------------------------------------------------------ devices and inspection


def test_creation_and_moves_by_device():
    x = xp.asarray([1.0, 2.0], device="reference")
    assert xp.sum(x).device == tc.device("reference") and xp.zeros_like(x).device == x.device
    moved = x.to_device("cpu")
    assert moved.device == tc.device("cpu") and moved.to_device(tc.device("cpu")) is moved
    assert xp.astype(x, xp.int8, device="cpu").device == tc.device("cpu")
    assert xp.from_dlpack(x).device == x.device and xp.from_dlpack(x, device="cpu").tolist() == [1.0, 2.0]
    with pytest.raises(BufferError, match="by a copy only"):
        xp.from_dlpack(x, device="cpu", copy=False)
    with pytest.raises(ValueError, match=r"streams are chosen with tensorcore\.cuda\.stream"):
        x.to_device("cpu", stream=1)


def test_inspection():
    info = xp.__array_namespace_info__()
    assert info.capabilities() == {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}
    assert info.default_device() in info.devices() and tc.device("reference") in info.devices()
    assert info.default_dtypes() == {
        "real floating": xp.float32, "complex floating": xp.complex64, "integral": xp.int64, "indexing": xp.int64,
    }  # fmt: skip
    assert len(info.dtypes()) == 13 and set(info.dtypes(kind="real floating")) == {"float32", "float64"}
    assert list(info.dtypes(kind=("bool", "complex floating"), device="cpu")) == ["bool", "complex64", "complex128"]
    tc.set_default_dtype(tc.float64)
    assert info.default_dtypes()["complex floating"] is xp.complex128
    with tc.device("reference"):
        assert info.default_device() == tc.device("reference")


# ------------------------------------------------------------------ size


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (1, 0, 4)])
@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_size_is_a_number_and_a_method(shape, device):
    x = tc.zeros(shape, device=device)
    assert x.size == x.numel() and isinstance(x.size, int) and x.size + 1 == x.numel() + 1
    assert x.size() == shape and type(x.size()) is tc.Size and tc.Tensor.size(x) == shape
    for dim in range(-len(shape), len(shape)):
        assert x.size(dim) == x.size(dim=dim) == tc.Tensor.size(x, dim) == shape[dim]


def test_size_of_what_is_not_there():
    for x, dim in ((tc.zeros(2, 3), 2), (tc.zeros(2), -2), (tc.tensor(1.0), 0)):
        with pytest.raises(IndexError, match="size: "):
            x.size(dim)
    with pytest.raises(TypeError, match="dim must be an int, got str"):
        tc.zeros(2).size("rows")


def test_sizes_are_copied_as_numbers():
    size = tc.zeros(2, 3).size
    assert pickle.loads(pickle.dumps(size)) == copy.deepcopy(size) == 6 and f"{size}" == "6"
    assert np.arange(10)[size] == 6 and size in {6} and size == np.size(tc.zeros(2, 3))


def test_many_shapes_are_not_kept_for_ever():
    from tensorcore import sides

    for side in range(4200):
        assert tc.empty(0, side).size(1) == side
    assert len(sides.KNOWN) <= 4096


# ------------------------------------------------------------------ what the strict engine does not do


def test_numbers_beyond_the_strict_engine():
    assert xp.isin(tc.tensor([1, 2, 3]), tc.tensor([2]), invert=True).tolist() == [True, False, True]
    assert xp.isin(tc.tensor([1, 2], dtype=tc.uint64), 2).tolist() == [False, True]
    assert xp.isin(2, tc.tensor([2], dtype=tc.uint64)).tolist() is True
    assert xp.eye(2, k=2**80).tolist() == xp.eye(2, k=-(2**80)).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert xp.take_along_axis(tc.tensor([[1, 2]]), tc.tensor([[0, 1, -1]])).tolist() == [[1, 2, 2]]
    assert xp.sum(tc.tensor([True, True])).dtype is xp.int64
    assert xp.isdtype(tc.bfloat16, "real floating") and not xp.isdtype(tc.float16, "integral")
    x = tc.tensor([1, 2, 3])
    assert xp.reshape(x, (3, 1), copy=False).data_ptr() == x.data_ptr() != xp.reshape(x, (3,), copy=True).data_ptr()
    assert xp.astype(x, xp.int64, copy=False) is x and xp.astype(x, xp.int64) is not x
    with pytest.raises(ValueError, match="cannot be laid over"):
        xp.reshape(tc.zeros(2, 3).T, (6,), copy=False)
    with pytest.raises(TypeError, match="kind must be a dtype or one of 'bool', 'signed integer'"):
        xp.isdtype(xp.int8, "int")
    with pytest.raises(TypeError, match=r"expected a dtype such as tensorcore\.float32, got <class 'numpy\.float64'>"):
        xp.isdtype(np.float64, "integral")
    with pytest.raises(TypeError, match="hypot: expected a tensor, got"):
        xp.hypot(1.0, 2)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_work_too(dtype):
    x = tc.tensor([1.5, -2.0], dtype=getattr(tc, dtype))
    for function in (xp.sum, xp.exp, xp.sort, xp.cumulative_sum, xp.std):
        assert function(x).dtype is x.dtype
    assert xp.result_type(x, tc.float32, 1.0) is tc.float32
