"""Mixed precision against PyTorch's: dtypes of all ops under autocast, gradients, loss scaling, training."""

from __future__ import annotations

import math
import random
import warnings
from collections import Counter

import pytest

torch = pytest.importorskip("torch")

from against_torch import outputs, resolve, same  # noqa: E402
from programs import CLASSES, plain, run  # noqa: E402

import tensorcore as tc  # noqa: E402
import tensorcore.nn  # noqa: E402
from tensorcore.amp.op_lists import ACCELERATOR, ALONE, CPU, LOWER  # noqa: E402
from tensorcore.ops.record import REGISTRY  # noqa: E402
from tensorcore_conformance.samples import samples_of  # noqa: E402

NOT_ARGUMENTS = {"shapes", "dtypes", "domains", "args", "order", "distinct", "prepare", "observe"}
#: Where we refuse or give another dtype, with the reason.
EXCEPT = {
    "chalf": "there is no complex32",
    "matrix_power": "a negative power is computed in float32 to the end",
    "pdist": "of no rows is refused in 16 bits as of some",
}


def cases():
    """(record, path, sample) of everything that both libraries have."""
    for op in REGISTRY.values():
        if op.random or not op.operands or op.name in EXCEPT:
            continue
        for path in op.paths:
            if not path.endswith("_") and _has(path):
                for sample in samples_of(op)[:3]:
                    if not sample.get("order"):
                        yield op, path, sample


def _has(path):
    found = torch
    for part in path.split("."):
        found = getattr(found, part, None)
    return found is not None


def operands(lib, op, sample, floating):
    """The operands of a sample; those of no fixed dtype have the dtypes ``floating`` in turn."""
    count = len(sample["shapes"])
    fixed = sample.get("dtypes") or (None,) * count
    domains = sample.get("domains") or (None,) * count
    for place, (shape, dtype, domain) in enumerate(zip(sample["shapes"], fixed, domains, strict=True)):
        if shape is None:
            yield None
            continue
        draw, size = random.Random(f"{op.name}{place}"), math.prod(shape)
        name = getattr(dtype, "name", dtype)
        if name is None or name.startswith(("float", "bfloat")):
            values = [draw.uniform(*(domain or op.domain)) for _ in range(size)]
            yield lib.tensor(values).reshape(shape).to(getattr(lib, floating[place % len(floating)]))
        elif name == "bool":
            yield lib.tensor([draw.random() < 0.5 for _ in range(size)]).reshape(shape)
        else:
            low, high = map(int, domain or (0, 2))
            values = [draw.randrange(low, max(high, low + 1)) for _ in range(size)]
            yield lib.tensor(values, dtype=getattr(lib, name)).reshape(shape)


def called(lib, op, path, sample, floating, lower):
    args = [*operands(lib, op, sample, floating)]
    if op.variadic and op.signature.parameters[op.operands[-1][1:]].kind.name != "VAR_POSITIONAL":
        at = len(op.operands) - 1
        args[at:] = [args[at:]]
    given = {
        name: getattr(lib, value.name) if isinstance(value, tc.dtype) else value
        for name, value in sample.items()
        if name not in NOT_ARGUMENTS
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with lib.autocast("cpu", dtype=getattr(lib, lower)):
            return resolve(lib, path)(*args, *sample.get("args", ()), **given)


def dtypes(lib, result):
    return [str(x.dtype).split(".")[-1] if isinstance(x, lib.Tensor) else None for x in outputs(lib, result)]


@pytest.mark.parametrize(
    ("lower", "floating"),
    [
        ("bfloat16", ["float32"]), ("float16", ["float32"]), ("bfloat16", ["bfloat16"]),
        ("bfloat16", ["float32", "bfloat16"]), ("float16", ["float16", "float32"]),
    ],
)  # fmt: skip
def test_dtypes_of_all_ops(lower, floating):
    wrong, met = [], Counter()
    for op, path, sample in cases():
        try:
            theirs = called(torch, op, path, sample, floating, lower)
        except Exception:
            # What PyTorch does not run in 16 bits may run here.
            met["refused"] += 1
            continue
        try:
            ours = called(tc, op, path, sample, floating, lower)
        except Exception as error:
            wrong.append(f"{path} {sample}: {error}")
            continue
        met["run"] += 1
        if dtypes(tc, ours) != dtypes(torch, theirs):
            wrong.append(f"{path} {sample}: {dtypes(tc, ours)}, PyTorch {dtypes(torch, theirs)}")
        elif CPU.get(op.name) == LOWER and isinstance(theirs, torch.Tensor):
            same(ours, theirs, path, 0.05 if lower == "bfloat16" else 0.01)
    assert not wrong, "\n".join(wrong)
    assert met["run"] > 1000


def test_every_listed_op_is_one_of_pytorchs():
    for key, names in (("CPU", CPU), ("CUDA", ACCELERATOR)):
        listed = {
            name.partition("::")[2].partition(".")[0]
            for name in torch._C._dispatch_get_all_op_names()
            if torch._C._dispatch_has_kernel_for_dispatch_key(name, f"Autocast{key}")
        }
        # Names of ours for several of PyTorch's, and ops that are several steps of listed ops there.
        known = listed | {
            "adaptive_max_pool3d_with_indices", "cat", "chain_matmul", "corrcoef", "cov", "cross_entropy", "einsum",
            "grid_sample", "gru", "gru_cell", "inner", "interpolate", "linalg_cross", "linalg_lu_solve",
            "linalg_multi_dot", "linalg_norm", "linear_cross_entropy", "lp_pool3d", "lstm", "lstm_cell", "lu",
            "matrix_power", "max_unpool1d", "multi_head_attention_forward", "pad", "rnn_relu", "rnn_relu_cell",
            "rnn_tanh", "rnn_tanh_cell", "stack", "tensordot", "upsample", "view_as_complex_copy",
        }  # fmt: skip
        assert {name.removeprefix("positional_") for name, policy in names.items() if policy is not ALONE} <= known


def agree(source, tolerance):
    """Run a program in both libraries: the same structures, dtypes and classes of errors, values within a tolerance."""
    results = []
    for lib in (tc, torch):
        try:
            results.append(plain(run(lib, source)))
        except Exception as error:
            results.append(error)
    ours, theirs = results
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        kind = (
            next(each for each in (*CLASSES, AssertionError) if isinstance(theirs, each))
            if isinstance(theirs, Exception)
            else None
        )
        assert kind is not None and isinstance(ours, kind), f"{ours!r}, PyTorch: {theirs!r}"
    else:
        assert close(ours, theirs, tolerance), f"{ours}, PyTorch: {theirs}"


def close(ours, theirs, tolerance):
    if isinstance(theirs, (list, tuple)):
        return len(ours) == len(theirs) and all(close(a, b, tolerance) for a, b in zip(ours, theirs, strict=True))
    if isinstance(theirs, float):
        return ours == pytest.approx(theirs, rel=tolerance, abs=tolerance, nan_ok=True)
    return type(ours) is type(theirs) and ours == theirs


X = "t.manual_seed(0); x, y = t.randn(3, 3), t.randn(3, 3)\n"
ON = "\nwith t.autocast('cpu', dtype=t.bfloat16):\n  "
PROGRAMS = [
    # What is left alone: in-place and out= forms, float64, integers, what is outside.
    X + ON + "r = t.ones(3, 3).addmm_(x, y)\nr",
    X + ON + "r = t.mm(x, y, out=t.empty(3, 3))\nr",
    X + ON + "r = (x.double() @ y.double()).dtype\nr",
    X + ON + "r = t.mm(x.long(), y.long())\nr",
    X + ON + "pass\n(x @ y).dtype",
    # Nesting, islands, other dtypes inside, decorators.
    X + ON + "with t.autocast('cpu', enabled=False):\n    a = (x @ y).dtype\n  b = (x @ y).dtype\n[a, b]",
    X + ON + "with t.autocast('cpu', dtype=t.float16):\n    a = (x @ y).dtype\n  b = (x @ y).dtype\n[a, b]",
    X + "with t.autocast('cpu', enabled=False):\n  a = (x @ y).dtype\na",
    X + "f = t.autocast('cpu')(lambda: (x @ y).dtype)\n[f(), t.is_autocast_enabled('cpu')]",
    X + "try:\n  with t.autocast('cpu'):\n    raise KeyError\nexcept KeyError: pass\nt.is_autocast_enabled('cpu')",
    # The settings.
    "[t.is_autocast_enabled('cpu'), t.is_autocast_enabled(), t.get_autocast_dtype('cpu'), "
    "t.get_autocast_dtype('cuda')]",
    ON + "r = [t.is_autocast_enabled('cpu'), t.is_autocast_enabled('cuda'), t.is_autocast_enabled()]\nr",
    "with t.autocast('cpu', dtype=t.float16): r = t.get_autocast_dtype('cpu')\n[r, t.get_autocast_dtype('cpu')]",
    "with t.autocast('cpu', cache_enabled=False): r = t.is_autocast_cache_enabled()\n[r, "
    "t.is_autocast_cache_enabled()]",
    "t.set_autocast_cache_enabled(False); r = t.is_autocast_cache_enabled(); t.set_autocast_cache_enabled(True); r",
    "[t.autocast_increment_nesting(), t.autocast_increment_nesting(), t.autocast_decrement_nesting(), "
    "t.autocast_decrement_nesting()]",
    "t.set_autocast_dtype('cpu', t.float16); r = t.get_autocast_dtype('cpu'); "
    "t.set_autocast_dtype('cpu', t.bfloat16); r",
    X + "t.set_autocast_enabled('cpu', True); r = (x @ y).dtype; t.set_autocast_enabled('cpu', False); "
    "[r, (x @ y).dtype]",
    "t.set_autocast_enabled(False); t.clear_autocast_cache(); t.is_autocast_enabled()",
    "[t.get_autocast_gpu_dtype(), t.get_autocast_cpu_dtype(), t.is_autocast_cpu_enabled()]",
    "t.set_autocast_cpu_enabled(False), t.set_autocast_gpu_dtype(t.float16), t.set_autocast_cpu_dtype(t.bfloat16)",
    "[t.amp.is_autocast_available('cpu'), t.amp.is_autocast_available('cuda')]",
    "t.autocast('cuda')._enabled if not t.cuda.is_available() else False",
    "t.autocast('cpu', dtype=t.float32)._enabled",
    "[t.autocast('cpu').fast_dtype, t.autocast('cpu').device, t.autocast('cpu')._enabled, "
    "t.autocast is t.amp.autocast]",
    "import importlib; n = t.__name__; import_ = importlib.import_module; "
    "[import_(n + '.cuda.amp').autocast().fast_dtype,"
    " t.cpu.amp.autocast().fast_dtype, t.cpu.amp.GradScaler().get_scale(), "
    "t.cuda.amp.GradScaler(enabled=False).get_scale()]",
    "issubclass(t.cuda.amp.autocast, t.autocast) and issubclass(t.cpu.amp.GradScaler, t.amp.GradScaler)",
    # Promotion to the widest.
    X + ON + "r = [t.cat([x, y.bfloat16()]).dtype, t.stack([x.bfloat16(), y.bfloat16()]).dtype]\nr",
    X + ON + "r = [t.cat([x.bfloat16(), y.long()]).dtype, t.cat([x.double(), y.bfloat16()]).dtype]\nr",
    X + ON + "r = t.cat([x.bfloat16(), y.half()])\nr",
    # Gradients have the dtype of what they are the gradient of.
    X + "w = x.requires_grad_(); " + ON + "h = y @ w; z = h.exp().sum()\nz.backward(); "
    "[h.dtype, z.dtype, w.grad.dtype]",
    X + "w = x.requires_grad_(); " + ON + "h = y @ w; h.retain_grad(); z = h.float().sum()\nz.backward(); "
    "[h.grad.dtype, w.grad]",
    X + "w = x.requires_grad_(); " + ON + "z = (y @ w @ w).float().sum()\nz.backward(); w.grad",
    X + "w = x.requires_grad_(); " + ON + "z = (y @ w).float().pow(2).sum(); "
    "g, = t.autograd.grad(z, w, create_graph=True)\n"
    "  (g ** 2).sum().backward()\n[g.dtype, w.grad.dtype]",
    # A cast without gradients is not taken for one with them.
    X + "w = x.requires_grad_(); " + ON + "with t.no_grad(): y @ w\n  z = (y @ w).requires_grad\nz",
    # Losses are computed in float32.
    X + ON + "r = t.nn.functional.mse_loss(x.bfloat16(), y.bfloat16())\nr",
    X + ON + "r = t.nn.functional.cross_entropy(x.bfloat16(), t.tensor([0, 1, 2]), y[0].abs())\nr",
    X + ON + "r = t.nn.functional.binary_cross_entropy(x.sigmoid(), y.sigmoid())\nr",
    # Custom functions.
    "class F(t.autograd.Function):\n"
    "  @staticmethod\n  @t.amp.custom_fwd(device_type='cpu', cast_inputs=t.float32)\n"
    "  def forward(ctx, a, b, k=[]):\n    ctx.on = t.is_autocast_enabled('cpu'); ctx.d = a.dtype; F.c = ctx\n"
    "    ctx.save_for_backward(a, b); return a @ b\n"
    "  @staticmethod\n  @t.amp.custom_bwd(device_type='cpu')\n"
    "  def backward(ctx, g):\n    F.back = t.is_autocast_enabled('cpu'); a, b = ctx.saved_tensors; "
    "return g @ b.T, a.T @ g\n"
    + X + "x.requires_grad_()\n" + ON + "z = F.apply(x, y.bfloat16())\n  z.sum().backward()\n"
    "u = F.apply(x.bfloat16(), y.bfloat16())\n[z.dtype, F.back, x.grad.dtype, u.dtype]",
    "class F(t.autograd.Function):\n"
    "  @staticmethod\n  @t.amp.custom_fwd(device_type='cpu')\n"
    "  def forward(ctx, a, b):\n    ctx.save_for_backward(a, b); return a @ b\n"
    "  @staticmethod\n  @t.amp.custom_bwd(device_type='cpu')\n"
    "  def backward(ctx, g):\n    F.back = t.is_autocast_enabled('cpu'); a, b = ctx.saved_tensors; "
    "return g @ b.T, a.T @ g\n"
    + X + "x.requires_grad_()\n" + ON + "z = F.apply(x, y)\nz.sum().backward()\n[z.dtype, F.back, x.grad.dtype]",
    "t.amp.custom_fwd(lambda ctx: 0, device_type=t.device('cpu'))",
    # Refusals.
    "t.autocast(t.device('cpu'))",
    "t.autocast('nowhere')",
    "t.autocast('cpu')(3)",
    "t.get_autocast_dtype('nowhere')",
    "t.set_autocast_dtype('cpu', 'float16')",
    # Checkpointed parts are recomputed as they were computed.
    "from importlib import import_module; c = import_module(t.__name__ + '.utils.checkpoint').checkpoint; " + X
    + "w = x.requires_grad_(); f = lambda a: (a @ w).relu()\n" + ON + "z = c(f, y, use_reentrant=False)\n"
    "z.float().sum().backward(); [z.dtype, w.grad]",
    # Layers.
    "t.manual_seed(0); m = t.nn.Sequential(t.nn.Conv2d(3, 4, 3), t.nn.BatchNorm2d(4), t.nn.ReLU(), t.nn.Flatten(), "
    "t.nn.LazyLinear(2), t.nn.LayerNorm(2)); " + ON + "r = m(t.ones(2, 3, 5, 5))\n[r.dtype, m[1].running_mean.dtype]",
    *(f"t.manual_seed(0); m = t.nn.{name}(4, 5); {ON}o, h = m(t.ones(3, 2, 4).{cast}())\n[o, h]"
      for name in ("RNN", "LSTM", "GRU") for cast in ("float", "bfloat16")),
    *(f"t.manual_seed(0); m = t.nn.{name}(4, 5); {ON}r = m(t.ones(2, 4).{cast}())\nr"
      for name in ("RNNCell", "LSTMCell", "GRUCell") for cast in ("float", "bfloat16")),
    "t.manual_seed(0); m = t.nn.MultiheadAttention(4, 2); q = t.randn(3, 2, 4); " + ON + "r = m(q, q, q)\nr",
    "t.manual_seed(0); m = t.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0); " + ON + "r = m(t.randn(3, 2, 4))\nr",
]  # fmt: skip


@pytest.mark.parametrize("source", PROGRAMS, ids=range(len(PROGRAMS)))
def test_programs(source):
    agree(source, 0.05)


BEGIN = (
    "t.manual_seed(0); w = t.nn.Parameter(t.ones(3)); o = t.optim.SGD([w], lr=0.5); "
    "s = t.amp.GradScaler('cpu', init_scale=8.0, growth_interval=2)\n"
    "def run(k=1.0):\n  o.zero_grad(); s.scale((w * k).sum()).backward(); s.step(o); s.update()\n"
)
SCALING = [
    BEGIN + "run(); [w.detach(), w.grad, s.get_scale(), s._get_growth_tracker()]",
    BEGIN + "run(); run(); [w.detach(), s.get_scale(), s._get_growth_tracker()]",
    BEGIN + "run(); run(INF); run(); [w.detach(), s.get_scale(), s._get_growth_tracker(), s.state_dict()['scale']]",
    BEGIN + "run(NAN); run(NAN); [w.detach(), s.get_scale()]",
    BEGIN + "s.set_growth_factor(4.0); s.set_backoff_factor(0.25); s.set_growth_interval(1); run(); run(INF); "
    "[s.get_scale(), "
    "s.get_growth_factor(), s.get_backoff_factor(), s.get_growth_interval(), s.is_enabled()]",
    BEGIN + "run(); sorted(s.state_dict().items())",
    BEGIN + "run(); u = t.amp.GradScaler('cpu'); u.load_state_dict(s.state_dict()); "
    "[u.get_scale(), u._get_growth_tracker()]",
    BEGIN + "run(); d = dict(s.state_dict(), scale=32.0); s.load_state_dict(d); run(); s.get_scale()",
    BEGIN + "run(); u = pickle.loads(pickle.dumps(s)); [u.get_scale(), u._get_growth_tracker(), u._scale]",
    BEGIN + "run(); s.update(3.0); s.get_scale()",
    BEGIN + "run(); s.update(t.tensor(5.0)); s.get_scale()",
    BEGIN + "run(); s.update(t.tensor([5.0, 1.0]))",
    BEGIN + "run(); s.update(t.tensor(5.0, requires_grad=True))",
    BEGIN + "r = s.scale([w, (w * 2, [w])]); [r[0], r[1][0], r[1][1][0], type(r[1]).__name__]",
    BEGIN + "r = s.scale(x for x in (w, w)); list(r)",
    BEGIN + "s.scale(3)",
    BEGIN + "s.scale(w.sum()).backward(); s.unscale_(o); [w.grad, s.get_scale()]",
    BEGIN + "s.scale(w.sum()).backward(); s.unscale_(o); t.nn.utils.clip_grad_norm_([w], 0.1); s.step(o); "
    "s.update(); w",
    BEGIN + "s.scale(w.sum()).backward(); s.unscale_(o); s.unscale_(o)",
    BEGIN + "s.scale(w.sum()).backward(); s.step(o); s.unscale_(o)",
    BEGIN + "s.scale(w.sum()).backward(); s.step(o); s.step(o)",
    BEGIN + "s.scale(w.sum()).backward(); s.step(o, closure=lambda: 0)",
    BEGIN + "s.scale(w.sum()); s.step(o)",
    BEGIN + "s.step(o)",
    BEGIN + "s.update()",
    BEGIN + "s.scale(w.sum()); s.update()",
    BEGIN + "s.unscale_(o)",
    BEGIN + "s.scale(w.sum()).backward(); s.step(o); pickle.dumps(s)",
    BEGIN + "s.load_state_dict({})",
    BEGIN + "h = t.nn.Parameter(t.ones(2).half()); p = t.optim.SGD([h], lr=1.0); s.scale(h.sum()).backward(); "
    "s.step(p)",
    BEGIN + "b = t.nn.Parameter(t.ones(2).bfloat16()); p = t.optim.SGD([b], lr=1.0); s.scale(b.sum()).backward(); "
    "s.step(p); b",
    BEGIN + "v = t.nn.Parameter(t.ones(2)); p = t.optim.SGD([v], lr=1.0); s.scale(w.sum() + v.sum() * INF).backward(); "
    "s.step(o); s.step(p); s.update(); [w.detach(), v.detach(), s.get_scale()]",
    BEGIN + "e = t.nn.Embedding(4, 2, sparse=True); p = t.optim.SGD(e.parameters(), lr=1.0); "
    "s.scale(e(t.tensor([1, 1, 2])).sum()).backward(); s.unscale_(p); e.weight.grad.to_dense()",
    "s = t.amp.GradScaler('cpu', enabled=False); w = t.ones(2, requires_grad=True); o = t.optim.SGD([w], lr=1.0); "
    "s.scale(w.sum()).backward(); s.unscale_(o); s.step(o); s.update(); s.load_state_dict({}); "
    "[w.detach(), s.get_scale(), s.state_dict(), s.is_enabled(), s._get_growth_tracker()]",
    "t.amp.GradScaler('cpu', growth_factor=1.0)",
    "t.amp.GradScaler('cpu', backoff_factor=1.0)",
    "t.GradScaler is t.amp.GradScaler",
    # An optimizer that scales and skips by itself.
    BEGIN + "o._step_supports_amp_scaling = True; kept = []; step = o.step\n"
    "def own():\n  kept.extend([o.grad_scale, o.found_inf])\no.step = own\nrun(2.0)\n[*kept, hasattr(o, 'found_inf')]",
    BEGIN + "s._scale is None and s._get_scale_async() is None and s.get_scale()",
    BEGIN + "run(); list(s._per_optimizer_states)",
]  # fmt: skip


@pytest.mark.parametrize("source", SCALING, ids=range(len(SCALING)))
def test_scaling(source):
    agree(source, 1e-6)


def trained(lib, lower, steps=30):
    """Losses of a small network of convolutions and products under autocast, with scaled losses."""
    lib.manual_seed(0)
    nn = lib.nn
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 16), nn.GELU(),
        nn.LayerNorm(16), nn.Linear(16, 3),
    )  # fmt: skip
    optimizer = lib.optim.AdamW(net.parameters(), lr=1e-2)
    scaler = lib.amp.GradScaler("cpu", init_scale=2.0**24, growth_interval=8)
    x, y = lib.randn(24, 1, 8, 8), lib.randint(0, 3, (24,))
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        with lib.autocast("cpu", dtype=lower and getattr(lib, lower), enabled=lower is not None):
            out = net(x)
            loss = nn.functional.cross_entropy(out, y)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        assert all(p.dtype == p.grad.dtype == lib.float32 for p in net.parameters())
        losses.append(loss.item())
    return losses, scaler.get_scale()


@pytest.mark.parametrize(("lower", "tolerance"), [(None, 1e-4), ("bfloat16", 0.06), ("float16", 0.01)])
def test_training(lower, tolerance):
    ours, scale = trained(tc, lower)
    theirs, their_scale = trained(torch, lower)
    assert scale == their_scale
    assert ours == pytest.approx(theirs, abs=tolerance)
    assert ours[-1] < 0.5 * ours[0]
