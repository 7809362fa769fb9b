"""`gradcheck` and `gradgradcheck` beside PyTorch's: right gradients pass in every mode, each planted fault is found."""

from __future__ import annotations

import itertools
import re
import warnings

import pytest

import tensorcore as tc

torch = pytest.importorskip("torch")

LIBRARIES = (tc, torch)


def leaf(t, *shape, dtype="float64", low=0.5, grad=True):
    t.manual_seed(0)
    made = t.rand(shape, dtype=t.float64) + low
    if dtype.startswith("complex"):
        made = t.complex(made, t.rand(shape, dtype=t.float64) - 0.3)
    return made.to(getattr(t, dtype)).requires_grad_(grad)


def sparse(t, layout="coo"):
    made = t.tensor([[0.0, 2.0, 0.0], [3.0, 0.0, 4.0]], dtype=t.float64)
    with warnings.catch_warnings():
        # PyTorch's of a feature in beta.
        warnings.simplefilter("ignore")
        return (made.to_sparse() if layout == "coo" else getattr(made, f"to_sparse_{layout}")()).requires_grad_()


def square(t, *, backward=None, jvp=None, vmap=True, materialize=True):
    """x * x as a custom function whose rules may be planted."""

    rules = {
        "backward": staticmethod(backward or (lambda ctx, g: 2 * ctx.saved_tensors[0].conj() * g)),
        "jvp": staticmethod(jvp or (lambda ctx, v: 2 * ctx.saved_tensors[0] * v)),
    }

    class Square(t.autograd.Function):
        generate_vmap_rule = vmap

        @staticmethod
        def forward(x):
            return x * x

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(*inputs)
            ctx.save_for_forward(*inputs)
            ctx.set_materialize_grads(materialize)

    return type("Square", (Square,), rules).apply


def outcome(t, check, *args, **options):
    """``True``, ``False``, or the class of the error with what its message begins to say."""
    check = getattr(t.autograd, check)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return check(*args, **options)
        except (RuntimeError, ValueError, AssertionError, TypeError) as error:
            found = re.search("|".join(PHRASES), str(error))
            return type(error).__name__, found and found[0]


PHRASES = (
    r"While considering the \w+ part of complex \w+ only", r"Jacobian (computed with forward mode )?mismatch",
    "not reentrant", "expected to be zero", "not multiplied by grad_output", "computing batched gradients",
    "For output 0 and input 0", "handle undefined output grads", "undefined or zero", "dtype mismatch",
    "at least one input tensor", "stride 0", "Sparse output", "incorrect layout", "Mismatch in tangent values",
)  # fmt: skip

RIGHT = {
    "sin": lambda t: (t.sin, (leaf(t, 3),)),
    "0-d": lambda t: (lambda x: x * x.exp(), leaf(t)),
    "empty": lambda t: (lambda x: x * 2, (leaf(t, 0),)),
    "matmul": lambda t: (t.matmul, (leaf(t, 2, 3), leaf(t, 3, 2))),
    "constants": lambda t: (lambda n, x, y: x**n * y, (3, leaf(t, 2), leaf(t, 2, grad=False))),
    "unused": lambda t: (lambda x, y: x * 2, (leaf(t, 2), leaf(t, 3))),
    "several outputs": lambda t: (lambda x: (x.sin(), x.sum(), x.argsort()), (leaf(t, 3),)),
    "one detached": lambda t: (lambda x: (x.sin(), x.detach() * 2), (leaf(t, 3),)),
    "transposed": lambda t: (lambda x: x.T.exp(), (leaf(t, 2, 3).detach().T.requires_grad_(),)),
    "complex": lambda t: (lambda z: z * z.exp(), (leaf(t, 2, dtype="complex128"),)),
    "complex to real": lambda t: (lambda z: (z.abs(), z), (leaf(t, 2, dtype="complex128"),)),
    "real to complex": lambda t: (lambda x: t.complex(x, x * x), (leaf(t, 2),)),
    "holomorphic and not": lambda t: (lambda z, x: z.conj() * x, (leaf(t, 2, dtype="complex128"), leaf(t, 2))),
    "custom": lambda t: (square(t), (leaf(t, 3),)),
}
MODES = {
    "backward": {},
    "forward": {"check_forward_ad": True},
    "forward only": {"check_forward_ad": True, "check_backward_ad": False},
    "batched": {"check_batched_grad": True, "check_forward_ad": True, "check_batched_forward_grad": True},
    "strict": {"check_grad_dtypes": True, "nondet_tol": 1e-12},
}


#: What PyTorch does not pass: its forward mode in fast mode counts the outputs without gradient (an IndexError), and
#: its vmap has no products of real and complex gradients.
NOT_PYTORCH = {
    *(("one detached", mode, True) for mode in ("forward", "forward only", "batched")),
    *(("holomorphic and not", "batched", fast) for fast in (False, True)),
}


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(("name", "mode"), list(itertools.product(RIGHT, MODES)))
def test_right_gradients_pass(name, mode, fast):
    for t in LIBRARIES if (name, mode, fast) not in NOT_PYTORCH else (tc,):
        function, inputs = RIGHT[name](t)
        assert outcome(t, "gradcheck", function, inputs, fast_mode=fast, **MODES[mode]) is True, t.__name__


SECOND_MODES = {
    "rev": {},
    "fwd over rev": {"check_fwd_over_rev": True},
    "fwd over rev only": {"check_fwd_over_rev": True, "check_rev_over_rev": False, "check_undefined_grad": False},
    "batched": {"check_batched_grad": True},
    "apart": {"gen_non_contig_grad_outputs": True},
}


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(("name", "mode"), list(itertools.product(RIGHT, SECOND_MODES)))
def test_right_second_derivatives_pass(name, mode, fast):
    found = []
    for t in LIBRARIES:
        function, inputs = RIGHT[name](t)
        found.append(outcome(t, "gradgradcheck", function, inputs, fast_mode=fast, **SECOND_MODES[mode]))
    assert found[0] == found[1] or found[0] is True


def noisy(t):
    return lambda ctx, g: 2 * ctx.saved_tensors[0] * g * (1 + 1e-9 * t.rand_like(g))


WRONG = {
    "backward": lambda t: (square(t, backward=lambda ctx, g: ctx.saved_tensors[0] * g), {}),
    "backward, forward checked": lambda t: (
        square(t, backward=lambda ctx, g: ctx.saved_tensors[0] * g), {"check_forward_ad": True},
    ),
    "jvp": lambda t: (square(t, jvp=lambda ctx, v: ctx.saved_tensors[0] * v), {"check_forward_ad": True}),
    "jvp, not checked": lambda t: (square(t, jvp=lambda ctx, v: ctx.saved_tensors[0] * v), {}),
    "backward, not checked": lambda t: (
        square(t, backward=lambda ctx, g: ctx.saved_tensors[0] * g),
        {"check_forward_ad": True, "check_backward_ad": False},
    ),
    "noise": lambda t: (square(t, backward=noisy(t)), {}),
    "noise, allowed": lambda t: (square(t, backward=noisy(t)), {"nondet_tol": 1e-6}),
    "detached": lambda t: (lambda x: x.detach() * 2, {}),
    "constant": lambda t: (lambda x: x.detach() * 0 + 1, {}),
    "one term detached": lambda t: (lambda x: x * x.detach(), {}),
    "not multiplied": lambda t: (square(t, backward=lambda ctx, g: 2 * ctx.saved_tensors[0] + 0 * g), {}),
    "offset": lambda t: (
        square(t, backward=lambda ctx, g: 2 * ctx.saved_tensors[0] * g + 1e-7), {"atol": 1e-3},
    ),
    "one element": lambda t: (
        square(t, backward=lambda ctx, g: (2 * ctx.saved_tensors[0] + (t.arange(3) == 2) * 0.1) * g), {},
    ),
    "nan": lambda t: (square(t, backward=lambda ctx, g: g * float("nan")), {}),
    "undefined": lambda t: (square(t, backward=refusing, materialize=False), {}),
    "undefined, not checked": lambda t: (
        square(t, backward=refusing, materialize=False), {"check_undefined_grad": False},
    ),
    "undefined, not zero": lambda t: (square(t, backward=one_for_none, materialize=False), {}),
    "batched, by value": lambda t: (
        square(t, backward=lambda ctx, g: 2 * ctx.saved_tensors[0] * g * (g.sum().item() > -9)),
        {"check_batched_grad": True},
    ),
    "tolerance": lambda t: (square(t, backward=lambda ctx, g: 2.01 * ctx.saved_tensors[0] * g), {"rtol": 0.1}),
}  # fmt: skip


def refusing(ctx, g):
    if g is None:
        raise RuntimeError("no gradient came")
    return 2 * ctx.saved_tensors[0] * g


def one_for_none(ctx, g):
    return ctx.saved_tensors[0] if g is None else 2 * ctx.saved_tensors[0] * g


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("name", WRONG)
def test_wrong_gradients_are_found(name, fast):
    found = []
    for t in LIBRARIES:
        function, options = WRONG[name](t)
        found.append(outcome(t, "gradcheck", function, (leaf(t, 3),), fast_mode=fast, **options))
        quiet = outcome(t, "gradcheck", function, (leaf(t, 3),), fast_mode=fast, raise_exception=False, **options)
        assert quiet is (found[-1] is True)
    assert found[0] == found[1]


COMPLEX = {
    "not conjugated": lambda t: square(t, backward=lambda ctx, g: 2 * ctx.saved_tensors[0] * g),
    "real part only": lambda t: square(t, backward=lambda ctx, g: 2 * ctx.saved_tensors[0].conj() * g.real),
    "imaginary part only": lambda t: square(t, backward=lambda ctx, g: 2j * ctx.saved_tensors[0].conj() * g.imag),
    "right": lambda t: square(t),
}


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("name", COMPLEX)
def test_wrong_gradients_of_complex_numbers_are_found(name, fast):
    found = [
        outcome(t, "gradcheck", COMPLEX[name](t), leaf(t, 2, dtype="complex128"), fast_mode=fast) for t in LIBRARIES
    ]
    assert found[0] == found[1]
    for t in LIBRARIES:
        wrong = square(t, jvp=lambda ctx, v: 2 * ctx.saved_tensors[0].conj() * v)
        text = outcome(
            t, "gradcheck", wrong, leaf(t, 2, dtype="complex128"), check_forward_ad=True, check_backward_ad=False,
            fast_mode=fast,
        )  # fmt: skip
        assert text == ("GradcheckError", "While considering the imaginary part of complex inputs only")


SECOND_WRONG = {
    "constant first": lambda t: square(t, backward=lambda ctx, g: 2 * ctx.saved_tensors[0].detach() * g),
    "cotangent detached": lambda t: square(t, backward=lambda ctx, g: 2 * ctx.saved_tensors[0] * g.detach()),
    "right": lambda t: square(t),
}


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("mode", ["rev", "fwd over rev", "batched"])
@pytest.mark.parametrize("name", SECOND_WRONG)
def test_wrong_second_derivatives_are_found(name, mode, fast):
    found = [
        outcome(t, "gradgradcheck", SECOND_WRONG[name](t), (leaf(t, 3),), fast_mode=fast, **SECOND_MODES[mode])
        for t in LIBRARIES
    ]
    assert found[0] == found[1]


SPARSE = {
    "to_dense": lambda s: s.to_dense(),
    "to_dense, masked": lambda s: s.to_dense(masked_grad=True),
    "to_dense, not masked": lambda s: s.to_dense(masked_grad=False),
    "doubled": lambda s: (s * 2).to_dense(masked_grad=True),
    "sparse output": lambda s: s * 2,
}


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("masked", [False, True, None])
@pytest.mark.parametrize("layout", ["coo", "csr", "csc"])
@pytest.mark.parametrize("name", SPARSE)
def test_sparse_inputs(name, layout, masked, fast):
    found = [outcome(t, "gradcheck", SPARSE[name], sparse(t, layout), masked=masked, fast_mode=fast) for t in LIBRARIES]
    assert found[0] == found[1]


@pytest.mark.parametrize("masked", [False, True])
def test_sparse_products(masked):
    found = [
        outcome(t, "gradcheck", t.sparse.mm, (sparse(t), leaf(t, 3, 2)), masked=masked) for t in LIBRARIES
    ]  # fmt: skip
    assert found[0] == found[1]


BAD = {
    "nothing requires grad": lambda t: (t.sin, leaf(t, 2, grad=False), {}),
    "no mode": lambda t: (t.sin, leaf(t, 2), {"check_backward_ad": False}),
    "batched without backward": lambda t: (
        t.sin, leaf(t, 2), {"check_backward_ad": False, "check_forward_ad": True, "check_batched_grad": True},
    ),
    "batched without forward": lambda t: (t.sin, leaf(t, 2), {"check_batched_forward_grad": True}),
    "expanded": lambda t: (t.sin, leaf(t, 1).detach().expand(3).requires_grad_(), {}),
    "changing shape": lambda t: (shrinking(), leaf(t, 3), {}),
    "float32": lambda t: (t.sin, leaf(t, 2, dtype="float32"), {}),
}  # fmt: skip


def shrinking():
    calls = itertools.count()
    return lambda x: x[: 3 - (next(calls) == 1)] * 2


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused(name, fast):
    found = []
    for t in LIBRARIES:
        function, inputs, options = BAD[name](t)
        found.append(outcome(t, "gradcheck", function, inputs, fast_mode=fast, **options))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "options",
    [
        {"check_rev_over_rev": False},
        {"check_rev_over_rev": False, "check_fwd_over_rev": True},
        {"check_rev_over_rev": False, "check_undefined_grad": False, "check_batched_grad": True},
    ],
)
def test_options_that_do_not_go_together_are_refused(options):
    found = [outcome(t, "gradgradcheck", t.sin, leaf(t, 2), **options) for t in LIBRARIES]
    assert found[0] == found[1] and found[0][0] == "AssertionError"


@pytest.mark.parametrize("check", ["gradcheck", "gradgradcheck"])
def test_same_arguments_in_the_same_order(check):
    import inspect

    mine, theirs = [inspect.signature(getattr(t.autograd, check)).parameters for t in LIBRARIES]
    assert [(p.name, p.kind, p.default) for p in mine.values()] == [
        (p.name, p.kind, p.default) for p in theirs.values()
    ]


def test_random_numbers_of_the_program_stay_as_they_were():
    for t in LIBRARIES:
        x = leaf(t, 3)
        t.manual_seed(5)
        expected = t.rand(3).tolist()
        t.manual_seed(5)
        t.autograd.gradcheck(t.sin, x, fast_mode=True)
        assert t.rand(3).tolist() == expected


def test_parameters_that_the_function_holds_are_moved():
    for t in LIBRARIES:
        t.manual_seed(0)
        layer = t.nn.Linear(3, 2, dtype=t.float64)
        x = leaf(t, 4, 3)
        inputs = (x, *layer.parameters())
        for fast, check in itertools.product((False, True), (t.autograd.gradcheck, t.autograd.gradgradcheck)):
            assert check(lambda *_, x=x, layer=layer: layer(x).tanh(), inputs, fast_mode=fast)
