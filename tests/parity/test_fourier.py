"""Fourier transforms, their gradients, windows and short-time transforms against PyTorch."""

from __future__ import annotations

import itertools
import math
import random
import warnings

import pytest

torch = pytest.importorskip("torch")

import tensorcore as tc  # noqa: E402 - after the skip

TOLERANCE = {"float16": 2e-3, "bfloat16": 1e-2, "float32": 4e-6, "complex64": 4e-6, "float64": 1e-12}


def numbers(shape, dtype, seed=0):
    """Elements as nested lists, the same for both libraries."""
    draw = random.Random(f"{shape}{dtype}{seed}")

    def element():
        if dtype == "bool":
            return draw.random() < 0.5
        if dtype.startswith(("int", "uint")):
            return draw.randrange(0, 9)
        return complex(draw.uniform(-2, 2), draw.uniform(-2, 2) if dtype.startswith("complex") else 0)

    flat = [element() for _ in range(math.prod(shape))]
    return flat if dtype.startswith("complex") else [x.real if isinstance(x, complex) else x for x in flat]


def made(lib, shape, dtype, seed=0):
    return lib.tensor(numbers(shape, dtype, seed), dtype=getattr(lib, dtype)).reshape(shape)


def close(ours, theirs, what=""):
    theirs = theirs.detach().resolve_conj()
    name = str(theirs.dtype).removeprefix("torch.")
    assert (tuple(ours.shape), ours.dtype.name) == (tuple(theirs.shape), name), what
    mine, its = ours.detach().reshape(-1).tolist(), theirs.reshape(-1).tolist()
    size = max((abs(x) for x in its if math.isfinite(abs(x))), default=1.0)
    for place, (a, b) in enumerate(zip(mine, its, strict=True)):
        alike = a == b or (a != a and b != b)
        assert alike or abs(a - b) <= TOLERANCE.get(name, 1e-12) * max(1.0, size), f"{what} [{place}]: {a} != {b}"


def call(lib, path, args, kwargs):
    found = lib
    for part in path.split("."):
        found = getattr(found, part)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return found(*args, **{key: value(lib) if callable(value) else value for key, value in kwargs.items()})


def agree(path, shape=None, dtype="float64", /, *args, **kwargs):
    """The function in both libraries: result, first and second gradient, or an error of the same class."""
    results = []
    for lib in (torch, tc):
        x = [] if shape is None else [made(lib, shape, dtype)]
        for each in x:
            if dtype.startswith(("float", "complex")):
                each.requires_grad_()
        try:
            results.append((x, call(lib, path, [*x, *args], kwargs)))
        except Exception as error:
            results.append((x, error))
    (theirs_in, theirs), (ours_in, ours) = results
    if isinstance(theirs, Exception):
        assert isinstance(ours, Exception), f"PyTorch refuses: {theirs}"
        kind = next(k for k in (IndexError, TypeError, ValueError, RuntimeError) if isinstance(theirs, k))
        assert isinstance(ours, kind), f"{theirs!r}, got {ours!r}"
        assert str(ours)
        return
    if isinstance(ours, Exception):
        raise ours
    close(ours, theirs)
    assert ours.requires_grad == theirs.requires_grad
    if not (theirs_in and theirs.requires_grad and theirs.numel()):
        return
    for lib, (x, result) in ((torch, (theirs_in, theirs)), (tc, (ours_in, ours))):
        name = str(result.dtype).split(".")[-1]
        weight = made(lib, tuple(result.shape), name, 1).requires_grad_()
        (first,) = lib.autograd.grad(result, x, weight, create_graph=True)
        # A product, as the gradient itself is linear: its derivative shows that the graph reaches the input too.
        second = (
            lib.autograd.grad((first * x[0]).abs().sum(), [*x, weight], allow_unused=True)
            if first.requires_grad
            else ()
        )
        x.extend([first, *second])
    for place, (mine, its) in enumerate(zip(ours_in[1:], theirs_in[1:], strict=True)):
        assert (mine is None) == (its is None), f"gradient {place}"
        if its is not None:
            close(mine, its, f"gradient {place}")


LINES = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int64", "bool", "float16"])
def test_along_a_dimension(name, dtype):
    for norm, n, dim in itertools.product((None, "backward", "ortho", "forward"), (None, 3, 4, 9), (-1, 0)):
        agree(f"fft.{name}", (5, 6), dtype, n, dim, norm)


@pytest.mark.parametrize("name", LINES)
def test_lengths(name):
    for n in (1, 2, 7, 16, 17, 60, 64, 97, 101, 128, 134, 243):
        agree(f"fft.{name}", (n,), "complex128" if name in ("fft", "ifft", "irfft", "hfft") else "float64")


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("dtype", ["float64", "complex128", "int32"])
def test_over_several_dimensions(name, dtype):
    cases = [
        {}, {"s": (4, 2)}, {"s": (4, 6), "dim": (0, -1)}, {"s": (3, -1)}, {"dim": (2, 0), "norm": "ortho"}, {"dim": 1},
        {"dim": (1, 2, 0), "norm": "forward"}, {"dim": ()}, {"dim": (0, 0)}, {"s": (1, 2, 3, 4)},
        {"s": (0, 2)}, {"s": (2, -2)}, {"s": (2,), "dim": (0, 1)}, {"norm": "x"}, {"s": 4},
    ]  # fmt: skip
    for kwargs in cases:
        agree(f"fft.{name}n", (3, 4, 5), dtype, **kwargs)
        if kwargs.get("s") != (4, 2):
            agree(f"fft.{name}2", (3, 4, 5), dtype, **kwargs)


@pytest.mark.parametrize("name", LINES)
def test_what_is_refused(name):
    path = f"fft.{name}"
    for args in ((0,), (-1,), (None, 2), (None, -3), (None, -1, "orth"), (2.5,), ("3",), (None, -1, 1)):
        agree(path, (3, 4), "float64", *args)
    agree(path, (), "float64")
    agree(path, (0,), "float64")
    agree(path + "2", (4,), "float64")
    agree(path + "n", (), "float64")
    agree(path + "n", (3, 4), "float64", dim=(0, 3))
    agree(path, None, "", [1.0, 2.0])
    for dtype in ("float16", "bfloat16"):
        agree(path, (4,), dtype)


@pytest.mark.parametrize("name", LINES)
def test_an_empty_batch(name):
    # PyTorch fails inside the library it calls for some of these.
    side = getattr(torch.fft, name)(torch.zeros(1, 5)).shape[1]
    assert getattr(tc.fft, name)(tc.zeros(0, 5)).shape == (0, side)


def test_out_and_views():
    x, out = made(tc, (4, 6), "float64"), tc.zeros(6, 4, dtype=tc.complex128)
    assert tc.fft.fft(x.T, out=out) is out
    close(out, torch.fft.fft(made(torch, (4, 6), "float64").T))
    close(tc.fft.rfft(x[::2, 1::2], dim=0), torch.fft.rfft(made(torch, (4, 6), "float64")[::2, 1::2], dim=0))


def test_nodes_are_named_as_in_pytorch():
    x = tc.ones(4, requires_grad=True)
    assert tc.fft.rfft(x).grad_fn.name() == torch.fft.rfft(torch.ones(4, requires_grad=True)).grad_fn.name()
    z = tc.ones(3, dtype=tc.complex64, requires_grad=True)
    t = torch.ones(3, dtype=torch.complex64, requires_grad=True)
    assert tc.fft.fft(z).grad_fn.name() == torch.fft.fft(t).grad_fn.name()
    assert tc.fft.irfft(z).grad_fn.name() == torch.fft.irfft(t).grad_fn.name()


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
def test_frequencies(name):
    for args in ((1,), (5,), (6, 0.5), (4, 0.0), (4, 3)):
        for dtype in ("float16", "float32", "float64", "int64"):
            agree(f"fft.{name}", None, "", *args, dtype=lambda lib, dtype=dtype: getattr(lib, dtype))
    agree(f"fft.{name}", None, "", 4, requires_grad=True)
    agree(f"fft.{name}", None, "", 2.5)
    assert tc.fft.fftfreq(0).shape == (0,)
    with pytest.raises(RuntimeError, match="negative"):
        getattr(tc.fft, name)(-1)


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
def test_shifts(name):
    for shape, dim in itertools.product(((5,), (4,), (3, 4), (2, 3, 5)), (None, 0, -1, (0,))):
        agree(f"fft.{name}", shape, "float64", dim)
    agree(f"fft.{name}", (3, 4), "int64", (0, 1))
    agree(f"fft.{name}", (3, 4), "int64", (0, 0))
    agree(f"fft.{name}", (3, 4), "int64", 2)


# ------------------------------------------------------------------ windows

OLDER = {"hann": (), "hamming": (0.6, 0.3), "blackman": (), "bartlett": (), "kaiser": (5.0,)}
FORMULAS = {
    "bartlett": {}, "blackman": {}, "cosine": {}, "exponential": {"tau": 2.5}, "gaussian": {"std": 1.7},
    "general_cosine": {"a": [0.5, 0.3, 0.2]}, "general_hamming": {"alpha": 0.6}, "hamming": {}, "hann": {},
    "kaiser": {"beta": 6.0}, "nuttall": {},
}  # fmt: skip


def dtype_of(name):
    return lambda lib: getattr(lib, name)


@pytest.mark.parametrize("name", OLDER)
def test_older_windows(name):
    for count, periodic in itertools.product((0, 1, 2, 3, 8, 9, -1), (True, False)):
        agree(f"{name}_window", None, "", count, periodic)
        agree(f"{name}_window", None, "", count, periodic, *OLDER[name], dtype=dtype_of("float64"))
    for dtype in ("float16", "bfloat16", "float32", "int64"):
        agree(f"{name}_window", None, "", 6, dtype=dtype_of(dtype))
    agree(f"{name}_window", None, "", 6, requires_grad=True)
    agree(f"{name}_window", None, "", 6.5)


@pytest.mark.parametrize("name", FORMULAS)
def test_windows(name):
    path = f"signal.windows.{name}"
    for count, sym in itertools.product((0, 1, 2, 3, 8, 9, -1), (True, False)):
        agree(path, None, "", count, sym=sym, **FORMULAS[name])
    for dtype in ("float64", "float32", "float16", "int64", "complex64"):
        agree(path, None, "", 6, dtype=dtype_of(dtype), **FORMULAS[name])
    agree(path, None, "", 6, requires_grad=True, **FORMULAS[name])
    agree(path, None, "", 6, layout=dtype_of("strided"), **FORMULAS[name])
    agree(path, None, "", 6.5, **FORMULAS[name])


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        ("general_cosine", {"a": []}), ("general_cosine", {"a": 1.0}), ("general_cosine", {}), ("gaussian", {"std": 0}),
        ("exponential", {"tau": -1}), ("exponential", {"center": 1.0}), ("exponential", {"center": 1.0, "sym": False}),
        ("kaiser", {"beta": -1}), ("kaiser", {"beta": 0}), ("kaiser", {"beta": 50.0}),
    ],
)  # fmt: skip
def test_parameters_of_windows(name, kwargs):
    agree(f"signal.windows.{name}", None, "", 5, **kwargs)


# ------------------------------------------------------------------ short-time transforms


def window(count, dtype="float64"):
    return lambda lib: lib.hann_window(count, dtype=getattr(lib, dtype)) + 0.1


STFT = [
    ((20,), "float64", {"n_fft": 8}),
    ((2, 20), "float32", {"n_fft": 8, "hop_length": 3}),
    ((2, 20), "float64", {"n_fft": 7, "win_length": 5, "window": window(5)}),
    ((20,), "float64", {"n_fft": 8, "win_length": 5}),
    ((20,), "float64", {"n_fft": 8, "center": False, "normalized": True, "onesided": False}),
    ((20,), "float64", {"n_fft": 8, "center": False, "win_length": 4, "align_to_window": True, "window": window(4)}),
    ((20,), "float64", {"n_fft": 9, "center": False, "win_length": 5, "hop_length": 1, "align_to_window": True}),
    ((20,), "float64", {"n_fft": 8, "center": False, "align_to_window": False}),
    ((20,), "float32", {"n_fft": 8, "window": window(8)}),
    ((20,), "complex128", {"n_fft": 8, "window": window(8)}),
    ((20,), "complex128", {"n_fft": 8, "return_complex": None}),
    ((20,), "complex128", {"n_fft": 8, "onesided": True}),
    ((20,), "float64", {"n_fft": 8, "return_complex": False}),
    ((20,), "float64", {"n_fft": 20, "center": False}),
    ((2, 20), "float64", {"n_fft": 6, "pad_mode": "constant"}),
    ((2, 20), "float64", {"n_fft": 6, "pad_mode": "replicate"}),
    ((2, 20), "float64", {"n_fft": 6, "pad_mode": "circular"}),
    ((20,), "float64", {"n_fft": 8, "return_complex": None}),
    ((20,), "float64", {"n_fft": 8, "align_to_window": True}),
    ((20,), "float64", {"n_fft": 8, "pad_mode": "x"}),
    ((20,), "float64", {"n_fft": 3}),
    ((20,), "float64", {"n_fft": 0}),
    ((20,), "float64", {"n_fft": 50}),
    ((20,), "float64", {"n_fft": 21, "center": False}),
    ((20,), "float64", {"n_fft": 8, "hop_length": 0}),
    ((20,), "float64", {"n_fft": 8, "win_length": 9}),
    ((20,), "float64", {"n_fft": 8, "window": window(7)}),
    ((2, 2, 20), "float64", {"n_fft": 8}),
    ((), "float64", {"n_fft": 8}),
    ((20,), "int64", {"n_fft": 8}),
    ((20,), "float16", {"n_fft": 8}),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "dtype", "kwargs"), STFT)
def test_stft(shape, dtype, kwargs):
    agree("stft", shape, dtype, **{"return_complex": True, **kwargs})


ISTFT = [
    ((5, 7), {"n_fft": 8}),
    ((2, 5, 7), {"n_fft": 8, "window": window(8)}),
    ((5, 7), {"n_fft": 9, "hop_length": 3}),
    ((8, 7), {"n_fft": 8}),
    ((8, 7), {"n_fft": 8, "return_complex": True}),
    ((8, 7), {"n_fft": 8, "return_complex": True, "window": lambda lib: lib.ones(8, dtype=lib.complex128) * (1 + 1j)}),
    ((5, 7), {"n_fft": 8, "normalized": True, "length": 10}),
    ((5, 7), {"n_fft": 8, "length": 30}),
    ((5, 7), {"n_fft": 8, "center": False, "window": window(8)}),
    ((5, 7), {"n_fft": 8, "win_length": 6, "window": window(6)}),
    ((5, 7), {"n_fft": 8, "center": False, "length": 9}),
    ((5, 7), {"n_fft": 8, "center": False, "window": lambda lib: lib.hann_window(8, dtype=lib.float64)}),
    ((5, 7), {"n_fft": 8, "window": lambda lib: lib.zeros(8)}),
    ((5, 7), {"n_fft": 8, "window": window(7)}),
    ((5, 7), {"n_fft": 8, "hop_length": 0}),
    ((5, 7), {"n_fft": 8, "hop_length": 9}),
    ((5, 7), {"n_fft": 8, "win_length": 9}),
    ((5, 7), {"n_fft": 8, "length": 0}),
    ((5, 7), {"n_fft": 8, "return_complex": True}),
    ((5, 7), {"n_fft": 8, "onesided": False}),
    ((5, 7), {"n_fft": 12}),
    ((5, 0), {"n_fft": 8}),
    ((1, 1, 5, 7), {"n_fft": 8}),
    ((5,), {"n_fft": 8}),
]


@pytest.mark.parametrize(("shape", "kwargs"), ISTFT)
def test_istft(shape, kwargs):
    agree("istft", shape, "complex128", **kwargs)


def test_istft_takes_complex_numbers():
    agree("istft", (5, 7), "float64", 8)


@pytest.mark.parametrize(("n_fft", "hop"), [(8, 2), (9, 3), (6, 4)])
def test_methods_and_the_way_back(n_fft, hop):
    x = made(tc, (2, 48), "float64")
    shape = x.stft(n_fft, hop, return_complex=True, window=tc.ones(n_fft, dtype=tc.float64))
    back = shape.istft(n_fft, hop, window=tc.ones(n_fft, dtype=tc.float64), length=48)
    close(back, torch.tensor(x.tolist(), dtype=torch.float64))
