"""The text of tensors; the expected strings are PyTorch 2.13's, with the module's name replaced."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator

import pytest

import tensorcore as tc
from tensorcore.printing import format_tensor, get_printoptions, printoptions, set_printoptions

inf, nan = math.inf, math.nan


@pytest.fixture(autouse=True)
def default_options() -> Iterator[None]:
    set_printoptions(profile="default")
    yield
    set_printoptions(profile="default")


@pytest.mark.parametrize(
    ("data", "dtype", "expected"),
    [
        # 0-d and empty
        (3, None, "tensor(3)"),
        (True, None, "tensor(True)"),
        (-0.0, None, "tensor(-0.)"),
        (nan, None, "tensor(nan)"),
        (-inf, None, "tensor(-inf)"),
        (0.1, "float64", "tensor(0.1000, dtype=tensorcore.float64)"),
        (1 - 2j, None, "tensor(1.-2.j)"),
        ([], None, "tensor([])"),
        ([], "int64", "tensor([], dtype=tensorcore.int64)"),
        ([[], []], None, "tensor([], size=(2, 0))"),
        ([[]], "bool", "tensor([], size=(1, 0), dtype=tensorcore.bool)"),
        # integers and bool
        ([1, -20, 300], None, "tensor([  1, -20, 300])"),
        ([0, 255], "uint8", "tensor([  0, 255], dtype=tensorcore.uint8)"),
        ([0, 2**64 - 1], "uint64", "tensor([                   0, 18446744073709551615], dtype=tensorcore.uint64)"),
        ([-(2**63)], "int64", "tensor([-9223372036854775808])"),
        ([True, False], None, "tensor([ True, False])"),
        # floats that are whole
        ([1.0, 2.0], None, "tensor([1., 2.])"),
        ([1.0, nan, inf, -inf], None, "tensor([1., nan, inf, -inf])"),
        ([0.0, -0.0], None, "tensor([0., -0.])"),
        ([nan, inf], None, "tensor([nan, inf])"),
        ([1e8, 1.0], None, "tensor([1.0000e+08, 1.0000e+00])"),
        ([1e8], None, "tensor([100000000.])"),
        ([1e9], None, "tensor([1.0000e+09])"),
        # floats that are not
        ([0.5, -1.0], None, "tensor([ 0.5000, -1.0000])"),
        ([0.5, -0.0], None, "tensor([0.5000, -0.0000])"),
        ([0.5, nan, 0.0], None, "tensor([0.5000,    nan, 0.0000])"),
        ([0.001, 1.0], None, "tensor([0.0010, 1.0000])"),
        ([0.001, 1.5], None, "tensor([1.0000e-03, 1.5000e+00])"),
        ([0.00005], None, "tensor([5.0000e-05])"),
        ([1e-45], None, "tensor([1.4013e-45])"),
        ([1e-5, 0.0, nan], None, "tensor([1.0000e-05, 0.0000e+00,        nan])"),
        ([1.7976931348623157e308, 5e-324], "float64", "tensor([1.7977e+308, 4.9407e-324], dtype=tensorcore.float64)"),
        ([0.1, 65504.0], "float16", "tensor([9.9976e-02, 6.5504e+04], dtype=tensorcore.float16)"),
        ([0.1, 1.0], "bfloat16", "tensor([0.1001, 1.0000], dtype=tensorcore.bfloat16)"),
        # complex: each part has its own notation
        ([1 + 0.5j, -2 - 1j], None, "tensor([ 1.+0.5000j, -2.-1.0000j])"),
        ([complex(nan, inf), complex(-0.0, -0.0)], None, "tensor([nan+infj, -0.-0.j])"),
        ([1 + 1e5j, 2 + 0.5j], None, "tensor([1.+1.0000e+05j, 2.+5.0000e-01j])"),
        ([1 + 2j], "complex128", "tensor([1.+2.j], dtype=tensorcore.complex128)"),
    ],
)
def test_values(data: object, dtype: str | None, expected: str) -> None:
    assert repr(tc.tensor(data, dtype=dtype and getattr(tc, dtype))) == expected


def test_nested_dimensions_are_indented_and_separated() -> None:
    expected = """\
        tensor([[[0, 1],
                 [2, 3]],

                [[4, 5],
                 [6, 7]]])"""
    assert str(tc.arange(8).reshape(2, 2, 2)) == textwrap.dedent(expected)


def test_rows_break_at_the_line_width() -> None:
    expected = """\
        tensor([[  0,  10,  20,  30,  40,  50,  60,  70,  80,  90, 100, 110, 120, 130,
                 140, 150]])"""
    assert repr((tc.arange(16) * 10).reshape(1, 16)) == textwrap.dedent(expected)


def test_long_tensors_show_their_edges() -> None:
    assert repr(tc.arange(1001)) == "tensor([   0,    1,    2,  ...,  998,  999, 1000])"
    expected = """\
        tensor([[   0,    1],
                [   2,    3],
                [   4,    5],
                ...,
                [1994, 1995],
                [1996, 1997],
                [1998, 1999]])"""
    assert repr(tc.arange(2000).reshape(1000, 2)) == textwrap.dedent(expected)


def test_long_tensors_of_three_dimensions() -> None:
    expected = """\
        tensor([[[   0,  ...,    3],
                 ...,
                 [  16,  ...,   19]],

                ...,

                [[1180,  ..., 1183],
                 ...,
                 [1196,  ..., 1199]]])"""
    with printoptions(edgeitems=1):
        assert repr(tc.arange(1200).reshape(60, 5, 4)) == textwrap.dedent(expected)


def test_only_the_edges_leave_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    x = tc.zeros(100, 40, 3).expand(100, 40, 3)
    backend = x.device.backend
    fetched = []
    to_list = type(backend).to_list

    def counted(self: object, array: object, dtype: object) -> object:
        fetched.append(math.prod(array.shape))  # type: ignore[attr-defined]
        return to_list(self, array, dtype)  # type: ignore[arg-type]

    monkeypatch.setattr(type(backend), "to_list", counted)
    repr(x)
    assert sum(fetched) == 6 * 6 * 3


def test_printing_records_nothing_and_leaves_the_tensor_alone() -> None:
    x = tc.ones(2000, requires_grad=True)
    assert repr(x) == "tensor([1., 1., 1.,  ..., 1., 1., 1.], requires_grad=True)"
    assert x.is_leaf
    assert x.grad is None


def test_gradient_suffixes() -> None:
    x = tc.ones(2, requires_grad=True)
    assert repr(x) == "tensor([1., 1.], requires_grad=True)"
    assert repr(x + 1) == "tensor([2., 2.], grad_fn=<AddBackward0>)"
    assert repr((x + 1).detach()) == "tensor([2., 2.])"


def test_suffixes_break_at_the_line_width() -> None:
    x = tc.ones(2, 14, requires_grad=True, dtype=tc.float64)
    expected = """\
        tensor([[1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1.],
                [1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1., 1.]],
               dtype=tensorcore.float64, requires_grad=True)"""
    assert repr(x) == textwrap.dedent(expected)


def test_device_is_named_where_it_is_not_the_default() -> None:
    x = tc.ones(2, device="reference")
    with tc.device("cpu"):
        assert repr(x) == "tensor([1., 1.], device='reference')"
    with tc.device("reference"):
        assert repr(x) == "tensor([1., 1.])"


def test_dtype_is_named_where_it_is_not_the_default() -> None:
    single, double = tc.ones(1), tc.ones(1, dtype=tc.float64)
    tc.set_default_dtype(tc.float64)
    try:
        assert repr(double) == "tensor([1.])"
        assert repr(single) == "tensor([1.], dtype=tensorcore.float32)"
        assert repr(tc.tensor([1j])) == "tensor([0.+1.j])"
    finally:
        tc.set_default_dtype(tc.float32)


def test_subclasses_are_called_by_their_name() -> None:
    class Coordinates(tc.Tensor):
        pass

    assert repr(Coordinates([[1.0, 2.0], [3.0, 4.0]])) == "Coordinates([[1., 2.],\n             [3., 4.]])"


def test_views_that_are_not_contiguous() -> None:
    x = tc.arange(6).reshape(2, 3)
    assert repr(x.t()) == "tensor([[0, 3],\n        [1, 4],\n        [2, 5]])"
    assert repr(x[:, ::2]) == "tensor([[0, 2],\n        [3, 5]])"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"precision": 0}, "tensor([2, 2, 4])"),
        ({"precision": 1}, "tensor([1.5, 2.2, 3.5])"),
        ({"sci_mode": True}, "tensor([1.5000e+00, 2.2500e+00, 3.5000e+00])"),
        ({"threshold": 2, "edgeitems": 1}, "tensor([1.5000,  ..., 3.5000])"),
        ({"threshold": 2, "edgeitems": 0}, "tensor([...], size=(3,))"),
        ({"edgeitems": 0}, "tensor([1.5000, 2.2500, 3.5000], size=(3,))"),
        ({"linewidth": 10}, "tensor([1.5000,\n        2.2500,\n        3.5000])"),
        ({"profile": "short"}, "tensor([1.50, 2.25, 3.50])"),
        ({"profile": "short", "precision": 3}, "tensor([1.500, 2.250, 3.500])"),
    ],
)
def test_options(options: dict[str, object], expected: str) -> None:
    x = tc.tensor([1.5, 2.25, 3.5])
    before = repr(x)
    with printoptions(**options):
        assert repr(x) == expected
    assert repr(x) == before


def test_full_profile_shows_all() -> None:
    with printoptions(profile="full"):
        assert "..." not in repr(tc.arange(2000))


def test_sci_mode_returns_to_automatic() -> None:
    set_printoptions(sci_mode=True)
    set_printoptions(precision=2)
    assert get_printoptions() == {
        "precision": 2, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None,
    }  # fmt: skip


def test_options_are_restored_after_an_error() -> None:
    before = get_printoptions()
    with pytest.raises(ZeroDivisionError), printoptions(precision=1, sci_mode=True):
        raise ZeroDivisionError
    assert get_printoptions() == before


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"profile": "long"}, "profile must be one of default, short, full, got 'long'"),
        ({"precision": -1}, "precision must be an int, 0 or more, got -1"),
        ({"precision": 2.5}, "precision must be an int, 0 or more, got 2.5"),
        ({"edgeitems": -3}, "edgeitems must be an int"),
        ({"linewidth": "80"}, "linewidth must be an int"),
        ({"threshold": nan}, "threshold must be a number, 0 or more, got nan"),
        ({"sci_mode": "auto"}, "sci_mode must be True, False or None, got 'auto'"),
    ],
)
def test_bad_options_change_nothing(option: dict[str, object], message: str) -> None:
    before = get_printoptions()
    with pytest.raises(ValueError, match=message):
        set_printoptions(**{"precision": 7, **option})
    assert get_printoptions() == before


def test_format_tensor_is_repr() -> None:
    x = tc.tensor([1, 2])
    assert format_tensor(x) == repr(x) == str(x) == f"{x}"
    assert f"{tc.tensor(2.5):.1f}" == "2.5"
