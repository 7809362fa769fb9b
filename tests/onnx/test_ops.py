"""Every op exports, and onnxruntime calculates what it does: the samples of the records."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tensorcore as tc
from tensorcore.onnx.converters import CONVERTERS, complexes
from tensorcore.ops.record import REGISTRY
from tensorcore_conformance.cases import recipe_from
from tensorcore_conformance.samples import samples_of
from tensorcore_conformance.structure import observed

pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")
runtime.set_default_logger_severity(4)

#: Ops that cannot be exported or run, and why.
EXCEPT = {
    "bfloat16": "NumPy, by which onnxruntime is given values, has no bfloat16",
    "lstm_sequence": "the gates and cells of all steps, which gradients need and ONNX's LSTM does not give",
    "gru_sequence": "the gates of all steps, which gradients need and ONNX's GRU does not give",
}
#: Ops whose expressions are long series or iterations: one sample is enough.
LONG = {"gamma_slope", "igamma", "igammac", "least_squares", "linalg_cond", "linalg_eig", "linalg_eigvals",
        "linalg_lstsq", "linalg_svd"}  # fmt: skip
OPS = [op for op in REGISTRY.values() if op.operands and not op.random and samples_of(op)]


def tensors(value):
    if isinstance(value, tc.Tensor):
        return [value]
    return [x for each in value for x in tensors(each)] if isinstance(value, (tuple, list)) else []


def cases(op):
    """(function of the operands, operands, results) of the first samples that can be called."""
    for place, sample in enumerate(samples_of(op)[: 1 if op.name in LONG else 2]):
        for dtype in ("float32", "int64", "complex64"):
            recipe = recipe_from(op, sample, dtype, f"onnx/{place}")
            given = [x for x in recipe.tensors("cpu") if x is not None]
            paired = [x.is_complex() for x in given]

            def call(*operands, recipe=recipe, paired=paired):
                # Inputs and outputs of a graph are real.
                whole = (tc.view_as_complex(x) if pair else x for x, pair in zip(operands, paired, strict=True))
                args, kwargs = recipe.arranged([None if shape is None else next(whole) for shape in recipe.shapes])
                made = tensors(observed(recipe.observe, REGISTRY[recipe.op].front(*args, **kwargs)))
                return tuple(tc.view_as_real(x) if x.is_complex() else x for x in made)

            given = [tc.view_as_real(x).clone() if x.is_complex() else x for x in given]
            try:
                expected = call(*(x.clone() for x in given))
            except (tc.errors.TensorcoreError, NotImplementedError):
                # Of floats, integers or complex numbers alone, or taken out of PyTorch.
                continue
            yield call, given, expected
            break


def check(call, given, expected, **options):
    if not expected or any(x.dtype is tc.bfloat16 for x in expected):
        return
    program = tc.onnx.export(call, tuple(given), **options)
    for ours, its in zip(expected, program(*given), strict=True):
        assert ours.dtype is its.dtype
        np.testing.assert_allclose(its.numpy(), ours.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("op", [op for op in OPS if op.name not in EXCEPT], ids=lambda op: op.name)
def test_op(op):
    with warnings.catch_warnings():
        # Old functions tell what replaces them, and sizes that depend on values are fixed.
        warnings.simplefilter("ignore")
        for call, given, expected in cases(op):
            check(call, given, expected)


def test_every_primitive_has_a_converter():
    without = {name for name, op in REGISTRY.items() if op.primitive} - CONVERTERS.keys() - complexes.BY_FORMULA.keys()
    assert without == {"assign"}, "writes are followed, not written"


OLDER = """
    add sub mul div maximum where relu gelu silu elu softplus softmax log_softmax mean sum amax logsumexp var cat pad
    conv1d conv2d conv_transpose2d max_pool2d avg_pool2d batch_norm layer_norm group_norm linear matmul attention
    embedding index_select gather sort topk tril interpolate masked_fill hardswish squeeze unsqueeze flip clamp
"""


@pytest.mark.parametrize("opset", [11, 13, 23])
@pytest.mark.parametrize("name", OLDER.split())
def test_op_of_other_opsets(name, opset):
    for call, given, expected in list(cases(REGISTRY[name]))[:2]:
        check(call, given, expected, opset_version=opset)
