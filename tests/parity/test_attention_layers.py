"""Attention of several heads and transformers against PyTorch."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from against_torch import INF, T, V, case, compare  # noqa: E402
from modules_against_torch import agree  # noqa: E402

START = "nn = t.nn; t.manual_seed(0); mask = nn.Transformer.generate_square_subsequent_mask(4); "
TRAINED = "[p.grad for p in m.parameters()], [*m.parameters()], [*m.state_dict()], repr(m)"
CALLS = (
    "", ", need_weights=False", ", average_attn_weights=False", ", attn_mask=mask", ", attn_mask=mask < 0",
    ", attn_mask=mask, is_causal=True, need_weights=False", ", attn_mask=mask, is_causal=True",
)  # fmt: skip


@pytest.mark.parametrize(
    ("made", "inputs"),
    [
        ("8, 2", "*[t.randn(4, 2, 8)] * 3"),
        ("8, 2, bias=False", "t.randn(4, 2, 8), *[t.randn(4, 2, 8)] * 2"),
        ("8, 2, add_bias_kv=True", "t.randn(4, 2, 8), t.randn(4, 2, 8), t.randn(4, 2, 8)"),
        ("8, 2, add_zero_attn=True, batch_first=True", "*[t.randn(2, 4, 8)] * 3"),
        ("8, 4, kdim=3, vdim=5", "t.randn(4, 2, 8), t.randn(4, 2, 3), t.randn(4, 2, 5)"),
        ("8, 2", "*[t.randn(4, 8)] * 3"),
    ],
)
def test_multihead_attention(made, inputs):
    for more in CALLS:
        agree(
            START + f"m = nn.MultiheadAttention({made}); out, w = m({inputs}{more}); (out ** 3).sum().backward(); "
            f"(out, w, {TRAINED})"
        )


MASKED = START + "m = nn.MultiheadAttention(8, 2); q, k = t.randn(4, 2, 8), t.randn(3, 2, 8); "
PADDING = "key_padding_mask=t.tensor([[False, True, True], [False, False, True]])"


@pytest.mark.parametrize(
    "program",
    [
        MASKED + f"m(q, k, k, {PADDING})", MASKED + f"m(q, k, k, {PADDING}, need_weights=False)",
        MASKED + f"m(q, k, k, attn_mask=t.randn(4, 4, 3), {PADDING}, need_weights=False)",
        MASKED + f"m(q, k, k, attn_mask=t.randn(4, 3), {PADDING})",
        MASKED + "m(q, k, k, attn_mask=t.ones(4, 3) > 0)[0].isnan().all().item()",
        MASKED + "m(q[:, 0], k[:, 0], k[:, 0], attn_mask=t.randn(2, 4, 3))",
        MASKED + "m(q, k, k, attn_mask=t.randn(4, 4))", MASKED + "m(q, k, k, attn_mask=t.randn(3, 4, 3))",
        MASKED + "m(q, k, k, is_causal=True)", MASKED + "m(q, k, q)", MASKED + "m(q[..., :6], k, k)",
        MASKED + "m(q, k, k, key_padding_mask=t.zeros(2, 4))", MASKED + "m(q, k, k, key_padding_mask=t.zeros(3))",
        MASKED + "m(q, k, k, attn_mask=t.ones(4, 3, dtype=t.int64))", MASKED + "m(q, k[0], k[0])",
        MASKED + "m(t.randn(1, 4, 2, 8), k, k)", "t.nn.MultiheadAttention(8, 3)", "t.nn.MultiheadAttention(0, 1)",
        MASKED + "m.merge_masks(t.randn(4, 4), t.randn(2, 4), t.randn(2, 4, 8))",
        MASKED + "m.merge_masks(None, t.ones(2, 4), t.randn(2, 4, 8))",
        MASKED + "m.eval(); m(q, k, k)", MASKED + "nn.MultiheadAttention(8, 2, dropout=0.5).eval()(q, k, k)",
        START + "F = nn.functional.multi_head_attention_forward; q = t.randn(4, 2, 8); "
        "w = [t.randn(8, 8) for _ in '1234'];"
        "F(q, q, q, 8, 2, None, t.randn(24), None, None, False, 0.0, w[0], None, use_separate_proj_weight=True, "
        "q_proj_weight=w[1], k_proj_weight=w[2], v_proj_weight=w[3], static_k=t.randn(4, 5, 4), "
        "static_v=t.randn(4, 5, 4))",
    ],
)  # fmt: skip
def test_masks_and_errors(program):
    agree(program)


LAYERS = (
    "",
    ", norm_first=True",
    ", batch_first=True, activation='gelu'",
    ", bias=False, activation=t.nn.functional.silu",
)


@pytest.mark.parametrize("more", LAYERS)
def test_transformers(more):
    """Training: outputs, gradients, first parameters, state, representation; and evaluation."""
    padding = "t.tensor([[False, True, True, True]] * 4)"
    agree(
        START + f"m = nn.TransformerEncoderLayer(8, 2, 16, 0.0{more}); out = m(t.randn(4, 4, 8), src_mask=mask); "
        f"(out ** 3).sum().backward(); (out, {TRAINED})"
    )
    agree(
        START + f"m = nn.TransformerDecoderLayer(8, 2, 16, 0.0{more}); "
        f"out = m(t.randn(4, 4, 8), t.randn(4, 4, 8), tgt_key_padding_mask={padding}); (out ** 3).sum().backward(); "
        f"(out, {TRAINED})"
    )
    agree(
        START + f"m = nn.Transformer(8, 2, 2, 2, 16, 0.0{more}); "
        f"out = m(t.randn(4, 4, 8), t.randn(4, 4, 8), tgt_mask=mask, src_key_padding_mask={padding}); "
        f"(out ** 3).sum().backward(); (out, {TRAINED})"
    )
    agree(
        START + f"m = nn.Transformer(8, 2, 1, 1, 16, 0.1{more}).eval(); k = {padding}; "
        "m(t.randn(4, 4, 8), t.randn(4, 4, 8), tgt_mask=mask, src_key_padding_mask=k, memory_key_padding_mask=k)"
    )


@pytest.mark.parametrize(
    "program",
    [
        "t.nn.Transformer.generate_square_subsequent_mask(3)",
        "t.nn.Transformer.generate_square_subsequent_mask(2, dtype=t.float64)",
        "t.nn.TransformerEncoderLayer(8, 2, activation='x')",
        START + "m = nn.Transformer(8, 2, 1, 1, 16); m(t.ones(3, 2, 8), t.ones(3, 1, 8))",
        START + "m = nn.Transformer(8, 2, 1, 1, 16); m(t.ones(3, 2, 7), t.ones(3, 2, 8))",
        START + "m = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, 0.0), 2, nn.LayerNorm(8)); "
        "m(t.randn(4, 8), mask)",
        START + "m = nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, 0.0), 2); "
        "m(t.randn(4, 8), t.randn(3, 8), mask)",
    ],
)
def test_more_transformers(program):
    agree(program)


#: More queries than keys, fewer, heads broadcast, no heads, no keys, no queries; then masks of all shapes.
SHAPES = (
    (T(2, 3, 70, 4), T(2, 3, 5, 4), T(2, 3, 5, 6)), (T(2, 3, 5, 4), T(2, 3, 70, 4), T(2, 3, 70, 6)),
    (T(2, 1, 5, 4), T(1, 3, 7, 4), T(2, 3, 7, 6)), (T(5, 4), T(7, 4), T(7, 2)),
    (T(2, 5, 4), T(2, 0, 4), T(2, 0, 3)), (T(2, 0, 4), T(2, 3, 4), T(2, 3, 3)), (T(2, 3, 150, 4),) * 3,
)  # fmt: skip
MASKS = (
    T(5, 7, dtype="bool"), T(2, 1, 5, 7, dtype="bool"), T(5, 7), T(2, 3, 5, 7), T(1, 1, 1, 7), T(7),
    V([[True] * 7, [False] * 7, [False] * 6 + [True], [True] * 7, [False] * 7], "bool"),
    V([[0.0] * 7, [-INF] * 7, [1.0] * 7, [0] * 7, [-INF] * 7], grad=False),
)  # fmt: skip
CALL = "F.scaled_dot_product_attention"


@pytest.mark.parametrize(
    ("path", "args", "kwargs"),
    [
        *(case(CALL, *shapes, is_causal=causal) for shapes in SHAPES for causal in (False, True)),
        *(case(CALL, T(2, 3, 5, 4), T(2, 3, 7, 4), T(2, 3, 7, 6), mask) for mask in MASKS),
    ],
)
def test_blocks_of_attention(path, args, kwargs):
    compare(path, *args, second=args[0].shape[-2] < 100, **kwargs)
