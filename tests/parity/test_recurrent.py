"""Recurrent layers and packed sequences against PyTorch."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from against_torch import T, V, case, compare  # noqa: E402
from modules_against_torch import agree  # noqa: E402

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
SIZES = (3, 3, 2, 1, 1)
START = "nn = t.nn; U = t.nn.utils.rnn; t.manual_seed(0); "


def call(kind, *, packed=False, both=False, layers=1, projection=0, bias=True, batch_first=False, dtype="float64"):
    """A call of a functional network of width 4 on sequences of 3 features."""
    rows, width, directions = GATES[kind] * 4, projection or 4, 1 + both
    facts = {"dtype": dtype, "low": -0.7, "high": 0.7}
    weights = []
    for place in range(layers * directions):
        features = width * directions if place >= directions else 3
        shapes = [(rows, features), (rows, width), *([(rows,), (rows,)] if bias else [])]
        shapes += [(projection, 4)] if projection else []
        weights += [T(*shape, seed=f"{place}{i}", **facts) for i, shape in enumerate(shapes)]
    hidden = T(layers * directions, 3, width, seed=1, **facts)
    states = (hidden, T(layers * directions, 3, 4, seed=2, **facts)) if kind == "lstm" else hidden
    settings = (states, weights, bias, layers, 0.0, False, both)
    if packed:
        return T(sum(SIZES), 3, **facts), V(SIZES, "int64"), *settings
    return T(3, 5, 3, **facts) if batch_first else T(5, 3, 3, **facts), *settings, batch_first


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("both", [False, True])
def test_networks(kind, packed, both):
    compare(kind, *call(kind, packed=packed, both=both))
    compare(kind, *call(kind, packed=packed, both=both, layers=2), second=False)
    compare(kind, *call(kind, packed=packed, both=both, bias=False), second=False)


@pytest.mark.parametrize("packed", [False, True])
def test_projections(packed):
    compare("lstm", *call("lstm", packed=packed, projection=2))
    compare("lstm", *call("lstm", packed=packed, projection=2, layers=2, both=True, bias=False), second=False)


@pytest.mark.parametrize("kind", GATES)
def test_other_dtypes_and_layouts(kind):
    compare(kind, *call(kind, batch_first=True), second=False)
    compare(kind, *call(kind, dtype="float32"), second=False)


def cell(kind, *, bias=True):
    rows = GATES[kind] * 4
    states = (T(2, 4), T(2, 4, seed=1)) if kind == "lstm" else T(2, 4)
    weights = (T(rows, 3), T(rows, 4), *((T(rows), T(rows, seed=1)) if bias else ()))
    return case(f"{kind}_cell", T(2, 3), states, *weights)


@pytest.mark.parametrize(
    ("path", "args", "kwargs"),
    [
        *(cell(kind) for kind in GATES),
        *(cell(kind, bias=False) for kind in GATES),
        case("gru_cell", T(2, 3), T(3, 4), T(12, 3), T(12, 4)),
        case("gru_cell", T(2, 3), T(2, 4), T(16, 3), T(12, 4)),
        case("lstm_cell", T(2, 3), (T(2, 4),), T(16, 3), T(16, 4)),
        case("rnn_tanh_cell", T(2, 3, dtype="float32"), T(2, 4), T(4, 3), T(4, 4)),
    ],
)
def test_cells(path, args, kwargs):
    compare(path, *args, **kwargs)


MADE = (
    "LSTM(3, 4)", "LSTM(3, 4, num_layers=2, bidirectional=True)", "LSTM(3, 4, 2, proj_size=2)", "GRU(3, 4)",
    "GRU(3, 4, 2, False, True, 0.0, True)", "RNN(3, 4)", "RNN(3, 4, 2, 'relu', bidirectional=True)",
    "RNN(3, 4, nonlinearity='relu', batch_first=True, bias=False)",
)  # fmt: skip


@pytest.mark.parametrize("made", MADE)
def test_modules(made):
    """Parameters for the seed, outputs, gradients, state, representation; batches, single and packed sequences."""
    agree(
        START + f"m = nn.{made}; out, h = m(t.randn(5, 2, 3)); out.sum().backward(); "
        "(out, h, [p.grad for p in m.parameters()], [*m.parameters()], [*m.state_dict()], repr(m))"
    )
    agree(START + f"nn.{made}(t.randn(5, 3))")
    agree(
        START + f"m = nn.{made}; p = U.pack_sequence([t.randn(n, 3) for n in (2, 5, 3)], enforce_sorted=False); "
        "out, h = m(p); again, _ = m(p, h); (list(out), h, list(again), U.unpack_sequence(out))"
    )


@pytest.mark.parametrize(
    "program",
    [
        *(
            START + f"m = nn.{name}(3, 4{more}); r = m(t.randn(2, 3)); s = m(t.randn(2, 3), r); "
            "(r, s, [*m.parameters()], repr(m), m(t.randn(3)))"
            for name in ("LSTMCell", "GRUCell", "RNNCell")
            for more in ("", ", bias=False")
        ),
        "t.nn.RNNCell(3, 4, nonlinearity='x')(t.ones(1, 3))",
        "t.nn.GRUCell(3, 4)(t.ones(1, 1, 3))",
        "t.nn.GRU(0, 4)", "t.nn.GRU(3, -1)", "t.nn.GRU(3, 4, 0)", "t.nn.GRU(3, 4, dropout=2)", "t.nn.GRU(3, 4.0)",
        "t.nn.GRU(3, 4, bias=1)", "t.nn.GRU(3, 4, proj_size=2)", "t.nn.LSTM(3, 4, proj_size=4)",
        "t.nn.RNN(3, 4, nonlinearity='x')", "t.nn.LSTM(3, 4)(t.ones(2, 1, 5))", "t.nn.LSTM(3, 4)(t.ones(2, 1, 3, 3))",
        "t.nn.LSTM(3, 4)(t.ones(2, 1, 3, dtype=t.float64))", "t.nn.GRU(3, 4)(t.ones(2, 1, 3), t.ones(1, 2, 4))",
        "t.nn.LSTM(3, 4)(t.ones(2, 1, 3), (t.ones(1, 1, 4), t.ones(1, 1, 3)))",
        "t.nn.GRU(3, 4)(t.ones(2, 3), t.ones(1, 1, 4))",
        "t.nn.GRU(3, 4, num_layers=2, dropout=0.5).eval()(t.ones(2, 3))[0].shape",
    ],
)  # fmt: skip
def test_more_modules(program):
    agree(program)


PADDED = "U = t.nn.utils.rnn; x = t.arange(24.0).reshape(4, 3, 2); "


@pytest.mark.parametrize(
    "program",
    [
        PADDED + "list(U.pack_padded_sequence(x, [4, 2, 1]))",
        PADDED + "list(U.pack_padded_sequence(x, t.tensor([2, 4, 1]), enforce_sorted=False))",
        PADDED + "list(U.pack_padded_sequence(x, [3, 3, 3, 1], batch_first=True))",
        PADDED + "U.pad_packed_sequence(U.pack_padded_sequence(x, [2, 4, 1], enforce_sorted=False))",
        PADDED + "U.pad_packed_sequence(U.pack_padded_sequence(x, [3, 2, 1]), True, -1.0, 5)",
        PADDED + "U.pad_packed_sequence(U.pack_padded_sequence(x, [3, 2, 1]), total_length=2)",
        PADDED + "U.pack_padded_sequence(x, [1, 2, 3])", PADDED + "U.pack_padded_sequence(x, [3, 2, 0])",
        PADDED + "U.pack_padded_sequence(x, [3, 2])",
        PADDED + "p = U.pack_padded_sequence(x, [2, 4, 1], enforce_sorted=False).double(); "
        "(p.data, p.unsorted_indices)",
        PADDED + "p = U.pack_padded_sequence(x, [3, 2, 1]); "
        "(p.to(t.float32) is p, p.half().data, p.is_cuda, p.long().data)",
        PADDED + "p = U.PackedSequence(x[0], t.tensor([2, 1])); (p.batch_sizes, p.sorted_indices)",
        PADDED + "U.PackedSequence((x[0], t.tensor([2, 1])), None, t.tensor([1, 0])).unsorted_indices",
        PADDED + "x.requires_grad_(); U.pack_padded_sequence(x, [4, 2, 1]).data.sum().backward(); x.grad",
        PADDED + "x.requires_grad_(); y = U.pad_packed_sequence(U.pack_padded_sequence(x, [4, 2, 1]))[0]; "
        "(y * y).sum().backward(); x.grad",
        "t.nn.utils.rnn.invert_permutation(t.tensor([2, 0, 1]))", "t.nn.utils.rnn.invert_permutation(None)",
        "[*t.nn.utils.rnn.pack_sequence([t.tensor([1, 2]), t.tensor([3])])]",
    ],
)  # fmt: skip
def test_packing(program):
    agree(program)
