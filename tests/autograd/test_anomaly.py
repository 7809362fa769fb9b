"""Anomaly mode: what it catches, and what it tells."""

from __future__ import annotations

import warnings

import pytest

import tensorcore as tc
from tensorcore.autograd.anomaly import AnomalyError, described
from tensorcore.autograd.graph import inspectors, watchers

pytestmark = pytest.mark.filterwarnings("ignore:detect_anomaly")


def detect(**options):
    return tc.autograd.detect_anomaly(**options)


def test_nan_in_a_gradient_names_op_line_and_statistics():
    x = tc.tensor([0.0, 4.0], requires_grad=True)
    with pytest.raises(AnomalyError) as caught, detect():
        y = (x.sqrt() * tc.tensor([0.0, 1.0])).sum()
        y.backward()
    told = str(caught.value)
    assert "Function 'SqrtBackward0' returned nan values in its 0th output." in told
    assert "forward op: sqrt at" in told and "test_anomaly.py" in told
    assert "gradient that came in: float32 [2], from 0 to 1, mean 0.5; 0 NaN, 0 infinite of 2" in told
    assert isinstance(caught.value, RuntimeError)


def test_infinity_is_looked_for_on_request():
    x = tc.tensor([0.0], requires_grad=True)
    with detect():
        x.sqrt().sum().backward()
    with pytest.raises(AnomalyError, match="returned inf values"), detect(check_inf=True):
        x.sqrt().sum().backward()
    with detect(check_nan=False):
        (x.sqrt() * 0).sum().backward()


def test_nan_born_forward():
    x = tc.tensor([[1.0, -2.0]])
    with pytest.raises(AnomalyError) as caught, detect(forward=True):
        (x + 1).log()
    told = str(caught.value)
    assert told.startswith("log gave nan of operands without, at ") and "test_anomaly.py" in told
    assert "input: float32 [1, 2], from -1 to 2, mean 0.5" in told and "1 NaN" in told
    with detect(forward=True):
        # What comes in as NaN was not born here.
        (tc.tensor([float("nan")]) * 2).exp()


def test_a_node_made_outside_the_mode():
    x = tc.tensor([0.0], requires_grad=True)
    y = (x.sqrt() * 0).sum()
    with pytest.raises(AnomalyError, match="made outside anomaly mode"), detect():
        y.backward()


def test_the_debugger_is_entered(monkeypatch, capsys):
    entered = []
    monkeypatch.setattr("pdb.set_trace", lambda: entered.append(1))
    x = tc.tensor([0.0], requires_grad=True)
    with pytest.raises(AnomalyError), detect(debug=True):
        (x.sqrt() * 0).backward()
    assert entered and "SqrtBackward0" in capsys.readouterr().out


def test_switching_and_nesting():
    assert not tc.is_anomaly_enabled()
    with tc.autograd.set_detect_anomaly(True, check_nan=False):
        assert tc.is_anomaly_enabled() and not tc.is_anomaly_check_nan_enabled()
        with tc.autograd.set_detect_anomaly(False):
            assert not tc.is_anomaly_enabled()
        assert tc.is_anomaly_enabled()
    assert not tc.is_anomaly_enabled() and tc.is_anomaly_check_nan_enabled()
    assert not watchers and not inspectors


def test_a_warning_says_that_it_slows():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        detect()
    assert "slows" in str(caught[0].message)


@pytest.mark.parametrize("values, told", [
    ([], "float32 [0]"), ([float("inf")], "float32 [1]; 0 NaN, 1 infinite of 1"),
    ([1.0, 3.0], "float32 [2], from 1 to 3, mean 2; 0 NaN, 0 infinite of 2"),
])  # fmt: skip
def test_statistics(values, told):
    assert described(tc.tensor(values)) == told


def test_statistics_of_other_things():
    assert described(tc.tensor([1, 2])) == "int64 [2]" and described(None) == "None"
