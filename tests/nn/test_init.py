"""Initialisers: properties of the values, refusals, former names."""

from __future__ import annotations

import pytest

import tensorcore as tc
from tensorcore.errors import ShapeError
from tensorcore.nn import init


@pytest.mark.parametrize("shape", [(3, 3), (4, 7), (7, 4), (100, 90), (6, 2, 3)])
@pytest.mark.parametrize("device", ["cpu", "reference"])
def test_orthogonal_rows_or_columns(shape, device):
    if device == "reference" and shape[0] > 50:
        pytest.skip("slow in pure Python")
    made = init.orthogonal_(tc.empty(shape, device=device), gain=3.0).reshape(shape[0], -1)
    rows, columns = made.shape
    product = made @ made.t() if rows <= columns else made.t() @ made
    assert (product - tc.eye(min(rows, columns), device=device) * 9).abs().amax().item() < 1e-4


def test_truncated_normal_numbers_stay_inside():
    for a, b in [(-1.0, 0.5), (2.0, 3.0)]:
        made = init.trunc_normal_(tc.empty(300), a=a, b=b)
        assert made.amin().item() >= a and made.amax().item() <= b


def test_a_half_precision_tensor_keeps_its_dtype():
    for function in (init.trunc_normal_, init.xavier_uniform_, init.kaiming_normal_, init.orthogonal_):
        assert function(tc.empty(4, 5, dtype=tc.float16)).dtype is tc.float16


BAD = [
    (lambda: init.xavier_uniform_(tc.empty(3)), ShapeError, "xavier_uniform_: fan in and fan out need at least 2"),
    (lambda: init.kaiming_normal_(tc.empty(3)), ShapeError, "kaiming_normal_"),
    (lambda: init.kaiming_uniform_(tc.empty(3, 3), mode="fan_on"), ValueError, "mode must be 'fan_in' or 'fan_out'"),
    (lambda: init.kaiming_uniform_(tc.empty(3, 3), nonlinearity="cubic"), ValueError, "no gain is known for 'cubic'"),
    (lambda: init.calculate_gain("leaky_relu", True), ValueError, "slope must be a number, got True"),
    (lambda: init.calculate_gain("leaky_relu", "x"), ValueError, "slope must be a number, got 'x'"),
    (lambda: init.eye_(tc.empty(3)), ValueError, "eye_: expected 2 dimensions"),
    (lambda: init.sparse_(tc.empty(3), 0.1), ValueError, "sparse_: expected 2 dimensions"),
    (lambda: init.dirac_(tc.empty(3, 3)), ValueError, "dirac_: expected 3, 4 or 5 dimensions"),
    (lambda: init.dirac_(tc.empty(3, 3, 3), groups=2), ValueError, "2 groups do not divide the 3 output channels"),
    (lambda: init.orthogonal_(tc.empty(3)), ValueError, "orthogonal_: expected at least 2 dimensions"),
]


@pytest.mark.parametrize("place", range(len(BAD)))
def test_bad_input_is_refused(place):
    call, error, message = BAD[place]
    with pytest.raises(error, match=message):
        call()


def test_what_would_do_nothing_is_warned_of():
    with pytest.warns(UserWarning, match="without elements"):
        assert init.kaiming_uniform_(tc.empty(0, 3)).shape == (0, 3)
    with pytest.warns(UserWarning, match="more than 2 std"):
        init.trunc_normal_(tc.empty(3), mean=5.0, a=-1.0, b=2.0)


@pytest.mark.parametrize("name", ["uniform", "normal", "eye", "xavier_uniform", "kaiming_normal", "orthogonal"])
def test_former_names_warn_and_work(name):
    with pytest.warns(FutureWarning, match=f"nn.init.{name} is deprecated, use nn.init.{name}_"):
        assert getattr(init, name)(tc.empty(3, 3)).shape == (3, 3)
