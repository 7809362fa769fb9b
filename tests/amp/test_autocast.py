"""Autocast where PyTorch has nothing to compare with: other devices, recordings, transforms, what is kept."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

import tensorcore as tc
from tensorcore.amp.state import state

F16, F32 = tc.float16, tc.float32


@pytest.fixture(autouse=True)
def off():
    yield
    assert not tc.is_autocast_enabled("cpu")
    assert state.nesting == 0 and not state.casts


def test_nothing_is_loaded_or_replaced_until_it_is_used():
    program = (
        "import sys, tensorcore as tc, tensorcore.nn; tc.ones(2, 2) @ tc.ones(2, 2); "
        "assert 'tensorcore.amp' not in sys.modules; tc.amp.autocast; from tensorcore.amp import casting; "
        "assert not casting._installed"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("call", "dtype"),
    [
        (lambda x: x @ x, F16), (lambda x: tc.mv(x, x[0]), F16), (lambda x: tc.addmm(x, x, x), F16),
        (lambda x: (x @ x).exp(), F32), (lambda x: (x @ x).sum(), F32), (lambda x: (x @ x).sum(0, dtype=F16), F16),
        (lambda x: (x @ x).softmax(0), F32), (lambda x: tc.softmax(x @ x, 0, dtype=F16), F16),
        (lambda x: (x @ x) ** 2, F32),
        (lambda x: 2 ** (x @ x), F32), (lambda x: 1 / (x @ x), F32), (lambda x: (x @ x).norm(), F32),
        (lambda x: tc.dot((x @ x)[0], x[0]), F32), (lambda x: tc.dot((x @ x)[0], (x @ x)[0]), F16),
        (lambda x: tc.nn.functional.layer_norm(x @ x, (2,)), F32), (lambda x: (x @ x) + 1, F16),
        (lambda x: tc.nn.functional.relu(x @ x), F16), (lambda x: (x @ x).mean(), F16),
        (lambda x: tc.nn.functional.adaptive_avg_pool2d((x @ x)[None], 1), F16),
    ],
)  # fmt: skip
@pytest.mark.parametrize("device", ["reference", "torch"])
def test_lists_of_accelerators(device, call, dtype):
    if device == "torch":
        pytest.importorskip("torch")
    x = tc.ones(2, 2, device=device)
    with tc.autocast(device):
        assert call(x).dtype is dtype
        assert (tc.ones(2, 2) @ tc.ones(2, 2)).dtype is F32, "of another device"


def test_probabilities_are_refused_on_accelerators_with_advice():
    x = tc.full((2,), 0.5, device="reference")
    with tc.autocast("reference"), pytest.raises(RuntimeError, match="binary_cross_entropy_with_logits"):
        tc.nn.functional.binary_cross_entropy(x, x)


def test_a_region_can_be_entered_again_inside_itself():
    x = tc.ones(2, 2)
    region = tc.autocast("cpu")
    with region, region:
        pass

    @tc.autocast("cpu", dtype=F16)
    def dtypes(depth):
        return [(x @ x).dtype, *(dtypes(depth - 1) if depth else ())]

    assert dtypes(2) == [F16] * 3
    assert tc.get_autocast_dtype("cpu") is tc.bfloat16


def test_threads_have_their_own():
    found = []
    with tc.autocast("cpu"):
        thread = threading.Thread(target=lambda: found.append((tc.ones(2, 2) @ tc.ones(2, 2)).dtype))
        thread.start()
        thread.join()
    assert found == [F32]


def test_parameters_are_cast_once_in_a_region():
    weight = tc.ones(2, 2, requires_grad=True)
    with tc.autocast("cpu"):
        first, second = (tc.mm(weight, weight) for _ in range(2))
        assert len(state.casts) == 1
        assert first.grad_fn.next_functions == second.grad_fn.next_functions
    with tc.autocast("cpu", cache_enabled=False):
        tc.mm(weight, weight)
        assert not state.casts
    assert not state.casts


def test_a_step_inside_a_region_is_seen():
    weight = tc.ones(2, 2, requires_grad=True)
    with tc.autocast("cpu"):
        before = weight @ weight
        with tc.no_grad():
            weight.mul_(2.0)
        assert (weight @ weight).tolist() == (4 * before).tolist()
        weight.data = tc.zeros(2, 2)
        assert (weight @ weight).sum().item() == 0


def test_mixed_16_bit_dtypes_are_refused_by_name():
    x = tc.ones(2)
    with tc.autocast("cpu"), pytest.raises(RuntimeError, match=r"cat.*bfloat16 or float32, got tensorcore.float16"):
        tc.cat([x.bfloat16(), x.half()])


def test_wrong_calls_are_refused_as_always():
    x = tc.ones(2, 3)
    with tc.autocast("cpu"):
        with pytest.raises(RuntimeError, match=r"linear: input of shape \[2, 3\]"):
            tc.nn.functional.linear(x, x[:, :2])
        with pytest.raises(TypeError, match="pad"):
            tc.nn.functional.pad(x)


def test_recordings_know_what_they_were_made_under():
    layer = tc.nn.Linear(3, 2)
    x = tc.ones(4, 3)
    run = tc.compile(lambda x: layer(x))
    for _ in range(3):
        with tc.autocast("cpu"):
            assert run(x).dtype is tc.bfloat16
        assert run(x).dtype is F32
    with tc.autocast("cpu"):
        run(x)
        with tc.no_grad():
            layer.weight.zero_()
        assert run(x).tolist() == layer(x).tolist()


def test_recorded_training_is_as_without():
    def losses(wrap):
        tc.manual_seed(0)
        net = tc.nn.Sequential(tc.nn.Linear(3, 8), tc.nn.ReLU(), tc.nn.Linear(8, 1))
        optimizer = tc.optim.SGD(net.parameters(), lr=0.05)
        x, y = tc.randn(16, 3), tc.randn(16, 1)

        @wrap
        def step():
            optimizer.zero_grad()
            with tc.autocast("cpu"):
                loss = tc.nn.functional.mse_loss(net(x), y)
            loss.backward()
            optimizer.step()
            return loss

        return [step().item() for _ in range(8)]

    assert losses(tc.compile) == losses(lambda f: f)


def test_transforms():
    weight, x = tc.ones(2, 3, requires_grad=True), tc.ones(4, 3)
    with tc.autocast("cpu"):
        assert tc.func.vmap(lambda each: weight @ each)(x).dtype is tc.bfloat16
        assert tc.func.grad(lambda w: (w @ x.T).float().sum())(weight).dtype is F32


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tc.cuda.amp.custom_bwd(len), r"tensorcore.cuda.amp.custom_bwd.*device_type='cuda'"),
        (lambda: tc.cpu.amp.autocast(), r"tensorcore.cpu.amp.autocast.*tensorcore.amp.autocast\('cpu', args"),
        (lambda: tc.cpu.amp.GradScaler(), r"tensorcore.cpu.amp.GradScaler.*deprecated"),
    ],
)
def test_old_names_warn(call, message):
    with pytest.warns(FutureWarning, match=message):
        call()


def test_old_settings_warn():
    with pytest.warns(DeprecationWarning, match=r"Please use tensorcore.get_autocast_dtype\('cuda'\)"):
        assert tc.get_autocast_gpu_dtype() is F16


def test_what_cannot_be_is_switched_off_with_a_warning():
    with pytest.warns(UserWarning, match="only supports dtypes of tensorcore.bfloat16, tensorcore.float16"):
        region = tc.autocast("cpu", dtype=F32)
    with region:
        assert not tc.is_autocast_enabled("cpu")
    with pytest.raises(RuntimeError, match="unknown device 'cpuu'"):
        tc.autocast("cpuu")


def test_scaling_names_what_is_wrong():
    scaler = tc.amp.GradScaler("cpu")
    half = tc.ones(2, dtype=F16, requires_grad=True)
    optimizer = tc.optim.SGD([half], lr=0.1)
    with pytest.raises(AssertionError, match="nothing has been scaled yet"):
        scaler.step(optimizer)
    scaler.scale(half.sum()).backward()
    with pytest.raises(ValueError, match=r"FP16 gradients: a parameter of shape \[2\] in group 0 is float16"):
        scaler.step(optimizer)
