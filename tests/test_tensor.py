"""The Tensor object: what it is, Python's protocols, copies, and conversion to Python."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.dtypes import ALL, by_name


def test_what_it_is():
    x = tc.zeros(2, 3, dtype=tc.int16)
    assert (x.shape, x.size(), x.size(-1), x.ndim, x.dim(), x.numel(), len(x)) == ((2, 3), (2, 3), 3, 2, 2, 6, 2)
    assert (x.dtype, x.itemsize, x.nbytes, x.element_size(), x.is_signed()) == (tc.int16, 2, 12, 2, True)
    assert (x.is_floating_point(), x.is_complex(), x.requires_grad, x.is_leaf, x.grad, x.grad_fn) == (
        False,
        False,
        False,
        True,
        None,
        None,
    )
    assert (
        x.stride() == (3, 1)
        and x.stride(0) == 3
        and x.is_contiguous()
        and x.layout is tc.strided
        and not x.t().is_contiguous()
    )
    assert type(x.shape) is type(x.size()) is tc.Size


@pytest.mark.parametrize("dtype", ALL, ids=str)
@pytest.mark.parametrize("value", [0, 1])
def test_items_have_pythons_types(dtype, value):
    kind = (bool, int, float, complex)[dtype.category]
    x = tc.tensor([[value]], dtype=dtype)
    assert type(x.item()) is type(x.tolist()[0][0]) is kind and x.item() == value
    assert bool(x) is bool(value) and complex(x) == value
    if kind is not complex:
        assert int(x) == float(x) == value
    if kind in (bool, int):
        assert range(5)[x] == value


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: tc.zeros(2).item(), RuntimeError, r"2 elements.*shape \[2\]"),
        (lambda: bool(tc.zeros(2)), RuntimeError, r"ambiguous.*\.any\(\)"),
        (lambda: bool(tc.zeros(0)), RuntimeError, "0 elements"), (lambda: len(tc.tensor(1)), TypeError, "0-d"),
        (lambda: iter(tc.tensor(1)), TypeError, "0-d"),
        (lambda: [1][tc.tensor(0.0)], TypeError, "float32"), (lambda: int(tc.tensor(1j)), TypeError, "complex"),
        (lambda: float(tc.tensor(1j)), RuntimeError, "complex"),
        (lambda: int(tc.tensor(math.nan)), ValueError, "NaN"),
        (lambda: "a" in tc.zeros(1), RuntimeError, "holds numbers, got 'a'"),
        (lambda: f"{tc.zeros(2):.2f}", TypeError, "format"),
        (lambda: copy.deepcopy(tc.ones(1, requires_grad=True) * 2), RuntimeError, "leaf"),
        (lambda: setattr(tc.zeros(2), "data", [1.0, 2.0]), TypeError, "data: expected a tensor, got list"),
        (lambda: setattr(tc.zeros(2, dtype=tc.int8), "requires_grad", True), RuntimeError, "int8"),
        (lambda: setattr(tc.zeros(2), "grad", tc.zeros(3)), RuntimeError, r"\[3\].*\[2\]"),
        (lambda: tc.zeros(2).size(2), IndexError, "dimension 2"),
        (lambda: tc.zeros(2, 2).stride(5), IndexError, "dimension 5"),
        (lambda: tc.zeros(2).nothing, AttributeError, "nothing"),
        (lambda: tc.Tensor(1.5), TypeError, r"tensor\(1.5\)"),
        (lambda: tc.FloatTensor(tc.zeros(1, dtype=tc.int8)), TypeError, "int8"),
        (lambda: tc.zeros(1).type("torch.Nothing"), RuntimeError, "FloatTensor"),
    ],
)  # fmt: skip
def test_errors_say_what_was_met(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_pythons_protocols():
    x = tc.tensor([1, 2, 3])
    assert (
        [int(v) for v in x] == [1, 2, 3] and [int(v) for v in reversed(x)] == [3, 2, 1] and sum(x) == 6 and max(x) == 3
    )
    assert 2 in x and 5 not in x and tc.tensor(3) in x and {x: 1}[x] == 1 and hash(x) != hash(x.clone())
    assert f"{tc.tensor(3.14159):.2f}" == "3.14" and f"{tc.tensor(7):03d}" == "007"
    assert (
        math.sqrt(tc.tensor(4)) == 2.0 and round(float(tc.tensor(2.5))) == 2 and divmod(7, int(tc.tensor(2))) == (3, 1)
    )
    a, b = tc.tensor([[1, 2], [3, 4]])
    assert (a.tolist(), b.tolist()) == ([1, 2], [3, 4])
    assert (
        abs(tc.tensor(-2)) == 2
        and (+x).tolist() == [1, 2, 3]
        and (-x).tolist() == [-1, -2, -3]
        and (~x).tolist() == [-2, -3, -4]
    )


class Stranger:
    """An operand that knows what to do with tensors."""

    def __radd__(self, other):
        return "radd"

    __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rand__ = __ror__ = __rxor__ = __radd__
    __gt__ = __lt__ = __radd__


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "//", "%", "&", "|", "^", "<", ">"])
def test_operators_leave_strangers_to_python(operator):
    assert eval(f"x {operator} s", {"x": tc.tensor([1]), "s": Stranger()}) == "radd"
    with pytest.raises(TypeError):
        eval(f"x {operator} s", {"x": tc.tensor([1]), "s": object()})


class TestCopies:
    def test_deepcopy_copies_the_elements_once(self):
        x = tc.ones(2, requires_grad=True)
        (x * x).sum().backward()
        x.note = "kept"
        a, b = copy.deepcopy([x, x])
        assert a is b and a.requires_grad and a.is_leaf and a.grad.tolist() == [2, 2] and a.note == "kept"
        a.data[0] = 9
        assert x.tolist() == [1, 1]

    def test_copy_shares_them(self):
        x = tc.zeros(2)
        y = copy.copy(x)
        y[0] = 1
        assert x.tolist() == [1, 0] and copy.copy(tc.ones(1, requires_grad=True)).requires_grad

    @pytest.mark.parametrize("dtype", ALL, ids=str)
    @pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
    def test_pickles(self, dtype, shape):
        x = tc.ones(shape, dtype=dtype)
        y = pickle.loads(pickle.dumps(x))
        assert y.dtype is dtype and y.shape == shape and y.tolist() == x.tolist() and y.device == x.device

    def test_pickles_of_results_are_leaves(self):
        y = pickle.loads(pickle.dumps(tc.ones(2, requires_grad=True) * 2))
        assert y.tolist() == [2, 2] and y.requires_grad and y.is_leaf

    def test_pickles_of_views_hold_what_is_seen(self):
        x = tc.arange(1000.0).reshape(10, 100)[:, 3].requires_grad_()
        y = pickle.loads(pickle.dumps(x))
        assert y.tolist() == x.tolist() and y.requires_grad and len(pickle.dumps(x)) < 1000

    def test_subclasses_keep_their_class(self):
        assert (
            type(copy.deepcopy(tc.nn.Parameter(tc.ones(1))))
            is type(pickle.loads(pickle.dumps(tc.nn.Parameter(tc.ones(1)))))
            is tc.nn.Parameter
        )


class TestOldConstructors:
    @pytest.mark.parametrize(("name", "dtype"), [("FloatTensor", "float32"), ("DoubleTensor", "float64"),
    ("HalfTensor", "float16"), ("BFloat16Tensor", "bfloat16"), ("ByteTensor", "uint8"),
                                                ("CharTensor", "int8"), ("ShortTensor", "int16"),
                                                ("IntTensor", "int32"), ("LongTensor", "int64"),
                                                ("BoolTensor", "bool")])  # fmt: skip
    def test_make_one_dtype(self, name, dtype):
        make = getattr(tc, name)
        assert (
            make([1, 0]).dtype is make(2, 3).dtype is make().dtype is by_name(dtype)
            and make(2, 3).shape == (2, 3)
            and make(tc.Size([4])).shape == (4,)
        )
        assert (
            isinstance(make([1]), make)
            and isinstance(make([1]), tc.Tensor)
            and make([1]).type() == f"tensorcore.{name}"
        )
        assert tc.ones(1).type(make).dtype is tc.ones(1).type(f"torch.{name}").dtype is make([1]).dtype
        assert not any(isinstance(make([1]), other) for other in (tc.FloatTensor, tc.LongTensor) if other is not make)

    def test_tensor_itself(self):
        assert (
            tc.Tensor([1, 2]).dtype is tc.float32
            and tc.Tensor(2, 3).shape == (2, 3)
            and tc.Tensor(3).shape == (3,)
            and tc.Tensor().shape == (0,)
        )
        x = tc.ones(2)
        assert tc.Tensor(x)[0] == 1 and x.new(2).shape == (2,) and x.new([1, 2]).dtype is tc.float32


def test_what_is_asked_at_the_top_level():
    assert (
        tc.is_tensor(tc.zeros(1))
        and not tc.is_tensor([0])
        and tc.numel(tc.zeros(2, 3)) == 6
        and tc.is_nonzero(tc.tensor(2))
        and not tc.is_storage(1)
    )
    assert (
        tc.is_floating_point(tc.zeros(1))
        and tc.is_complex(tc.tensor(1j))
        and not tc.is_signed(tc.zeros(1, dtype=tc.uint8))
        and tc.typename(1) == "builtins.int"
    )
    assert (
        (tc.inf, tc.pi, tc.e) == (math.inf, math.pi, math.e)
        and math.isnan(tc.nan)
        and not tc.is_inference_mode_enabled()
    )
    before = tc.get_num_threads()
    tc.set_num_threads(1)
    assert tc.get_num_threads() == 1
    tc.set_num_threads(before)
    with pytest.raises(RuntimeError, match="at least 1"):
        tc.set_num_threads(0)
    assert repr(tc.channels_last) == "tensorcore.channels_last" and pickle.loads(pickle.dumps(tc.strided)) is tc.strided
    assert (
        tc.zeros(1, 2, 2, 2)
        .contiguous(memory_format=tc.channels_last)
        .is_contiguous(memory_format=tc.contiguous_format)
    )


def test_every_name_of_the_top_level_is_there():
    assert len(set(tc.__all__)) == len(tc.__all__) and all(hasattr(tc, name) for name in tc.__all__)


def test_scalars_shared_between_uses_are_not_mixed_up():
    x = tc.ones(2)
    assert (
        str((x * 0.0 - x * 0).tolist()) == "[0.0, 0.0]"
        and math.copysign(1, (x * -0.0)[0].item()) == -1
        and math.copysign(1, (x * 0.0)[0].item()) == 1
    )
    assert (
        (x + True).dtype is tc.float32
        and (tc.ones(1, dtype=tc.int8) + True).dtype is tc.int8
        and np.isnan((x * math.nan)[0].item())
    )
