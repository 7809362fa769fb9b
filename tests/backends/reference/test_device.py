"""The device "reference" as users see it: every primitive there, no NumPy, a training step, errors."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import tensorcore as tc
from tensorcore.ops.record import REGISTRY

PRIMITIVES = [name for name, op in REGISTRY.items() if op.primitive]

WITHOUT_NUMPY = """
import sys
import tensorcore as tc

{prepare}
x = tc.tensor([[1.0, -2.0], [3.5, float("nan")]], {device}requires_grad=True)
y = (tc.exp(x[0]) @ x.t() + x.sum()).abs()
z = (x[0] * x[0]).sum()
z.backward()
w = tc.rand(2, 2, {device})
w += 1
w[0, 1] = 5
{finish}
assert x.grad[0].tolist() == [2.0, -4.0] and z.item() == 5.0, x.grad
loaded = [name for name in sys.modules if name.partition(".")[0] in ("numpy", "ml_dtypes", "array_api_compat")]
assert not loaded, loaded
"""


@pytest.mark.parametrize(
    ("prepare", "device", "finish"),
    [
        (
            "tc.set_default_device('reference')",
            "",
            "print(x, y, z, x.grad, w.sort(dim=0), w.to(tc.complex64), tc.arange(3))",
        ),
        ("", "device='reference', ", ""),
    ],
)
def test_it_needs_no_numpy(prepare: str, device: str, finish: str) -> None:
    script = WITHOUT_NUMPY.format(prepare=prepare, device=device, finish=finish)
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert ("tensor([[ 1.0000, -2.0000]," in done.stdout) == bool(finish)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_primitive_has_a_kernel(backend: Any, name: str) -> None:
    assert callable(backend.kernel(name, tc.float32, 0))


def test_a_training_step_equals_the_default_device() -> None:
    def losses(device: str) -> list[float]:
        tc.manual_seed(0)
        x, y = tc.randn(4, 6).to(device), tc.randn(4, 3).to(device)
        weights = [
            (tc.randn(6, 5) * 0.4).to(device).requires_grad_(),
            (tc.randn(5, 3) * 0.4).to(device).requires_grad_(),
        ]
        found = []
        for _ in range(3):
            loss = ((tc.tanh(x @ weights[0]) @ weights[1] - y) ** 2).sum() / 12
            loss.backward()
            with tc.no_grad():
                for weight in weights:
                    weight -= 0.1 * weight.grad
                    weight.grad = None
            found.append(loss.item())
        return found

    assert losses("reference") == pytest.approx(losses("cpu"), rel=1e-6)
    assert losses("reference")[2] < losses("reference")[0]


def test_views_are_written_through() -> None:
    x = tc.zeros(2, 3, device="reference")
    x[:, 1] = tc.tensor([1.0, 2.0], device="reference")
    x.t()[2] += 5
    assert x.tolist() == [[0.0, 1.0, 5.0], [0.0, 2.0, 5.0]]


def test_errors_name_op_shapes_and_device() -> None:
    x, y = tc.zeros(2, device="reference"), tc.zeros(3, device="reference")
    with pytest.raises(ValueError, match=r"add: .*\[2\] and \[3\]"):
        x + y
    with pytest.raises(IndexError, match="index 7 is out of range"):
        x[tc.tensor([7], device="reference")]
