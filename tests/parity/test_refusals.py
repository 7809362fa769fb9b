"""Every op refuses what PyTorch refuses: with a class of errors that the same ``except`` catches, and its name.

`refusals` makes the calls: the samples of each op's record with one fault each. What deliberately differs is listed
here, under the heading of docs/differences.md that says so.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("torch")

from refusals import CRASHES, OPS, calls, disagreement

PAGE = (Path(__file__).parents[2] / "docs" / "differences.md").read_text("utf-8")

#: Patterns of ``op | fault | how they differ``, by the heading that tells of them.
DELIBERATE = {
    "Wrong arguments": (
        # PyTorch has no kernel for the dtype or for a side of 0; the answer is plain.
        r"gives .* raises NotImplementedError",
        r"gives .*(not implemented for|not supported|not yet implemented|does not support|only support|Unsupported"
        r"|unsupported operation|MKL FFT error|could not create a primitive|Integral inputs|not be a boolean"
        r"|Only zero batch|no longer supported|ZeroDivisionError|Expected both inputs to be|infer output dtype)",
        # Operands of two dtypes promote.
        r"gives .*(same dtype|scalar type|mixed dtype|share same datatype|different dtypes|must be the same"
        r"|can't be cast|same datatype|expected dtype|Expected .*dtype)",
        # A number or a NumPy array for a tensor; integers of any dtype as indices; bytes as a mask.
        r": (3|2\.5|True|a number) \| gives",
        r"a NumPy array \| gives",
        r"uint8 \| gives .*(Expected dtype int|Expected a long|should be Long|expected BoolTensor)",
        # out= of another dtype that holds the result, and for functions that PyTorch gives no out=.
        r"\| out= \| gives",
        # None, or nothing, for an argument that has a default; keywords and sizes that only some overloads take.
        r"(: None|=None|nothing|too few|\[None\] in front) \| gives",
        r"gives .*unexpected keyword",
        r": (5|\[\] in front|one fewer|one more) \| gives",
        # Flags of reductions, and `memory_format`, which changes nothing.
        r"('nonsense'|a string) \| gives .*(must be bool|must be torch.memory_format|got \(Tensor)",
        # Operands of two dtypes again: PyTorch keeps that of the first; and complex numbers in real losses.
        r": (bool|uint8|int64|float16|float64|bfloat16|complex64) \| gives \(?(float|bool|int|complex)\S*\]"
        r".* gives \(?(uint|float|bfloat|complex)",
        r"complex64 \| raises DTypeError: .* expected a real .* gives ",
        # Strings as flags are refused where PyTorch takes any truth, and out= of a dtype too narrow for the result.
        r"='nonsense' \| raises ArgumentError: .* must be True or False",
        r"a string \| raises ArgumentError: .* must be True or False",
        r"=None \| raises ArgumentError: .* must be True or False",
        r"\| out= \| raises DTypeError: .* does not hold",
    ),
    "Classes of errors": (
        # Where PyTorch comes upon a dimension that is not there, the shape is what is wrong.
        r"raises (Shape|DType|Range)Error: .* raises IndexError",
        r": (5|\[0, 0\]|None|nothing|-?\d+|1\.5|one more|one fewer|.*in front) \| raises (Shape|Dimension|Range)Error"
        r".* raises TypeError",
        r"too few \| raises ShapeError.* raises TypeError",
        r"raises TypeError: .* must be ints, got .* raises (ValueError|IndexError)",
    ),
}  # fmt: skip
#: What is left, op by op: the faults in which the libraries differ, by how they do.
SINGLE = {
    "refused here, where PyTorch gives something": {
        **{f"adaptive_{kind}_pool{n}d": "argument 0: no rows" for kind in ("avg", "max") for n in (1, 2, 3)},
        "adjoint": "0-d", "affine_grid_generator": "argument 0", "avg_pool1d": "int64", "avg_pool2d": "int64",
        "avg_pool3d": "int64|kernel_size", "bilinear": "two dimensions more", "bucketize": "bool",
        "cholesky": "no columns|no rows", "conj_physical": "bool", "conv_tbc": "argument 2|pad",
        "cosine_similarity": "bool|int", "ctc_loss": "argument 1", "embedding": "norm_type",
        "embedding_bag": "norm_type|no columns", "feature_alpha_dropout": "0-d|fewer", "fft_rfftfreq": "-1",
        "gradient": "spacing", "grid_sampler": "argument [23]", "gru_cell": "0-d|a dimension more",
        "gumbel_softmax": "argument 1|eps", "histogram": "float16", "index_add": "no rows", "istft": "length",
        "linalg_lstsq": "a dimension more", "linalg_vecdot": "dimension", "linear": "a dimension more",
        "linear_cross_entropy": "label_smoothing|options", "local_response_norm": "int64", "logspace": "1j",
        "margin_ranking_loss": "operands of", "matrix_power": "bool", "max_unpool1d": "0|float32", "normalize": "None",
        "max_unpool2d": "0|float32", "rnn_relu_cell": "0-d|a dimension more|operands of",
        "rnn_tanh_cell": "0-d|a dimension more|operands of", "scaled_dot_product_attention": "no rows|attn_mask",
        "searchsorted": "bool", "tensordot": "two dimensions more", "view_as_complex": "float16",
        "view_as_complex_copy": "float16",
    },
    "given here, where PyTorch refuses": {
        "arange": "step", "batch_norm": "a dimension more", "cartesian_prod": "0-d", "clone": "memory_format",
        "contiguous": "memory_format", "fft_fftshift": "0-d", "fft_ifftshift": "0-d",
        "instance_norm": "no rows|a dimension more", "linalg_tensorinv": "0-d", "norm_except_dim": "0-d|fewer|no rows",
        "stft": "no rows",
    },
    "other answers: sums that overflow, NaN, operands of two dtypes, sides without elements": {
        "complex": "float16", "cross_entropy": "bfloat16", "group_norm": "float16|a dimension more", "ldexp": "uint8",
        "linalg_solve_triangular": "argument 1", "multilabel_soft_margin_loss": "dimension",
        "native_layer_norm": "float16", "pixel_unshuffle": "no", "polygamma_of": "int64", "soft_margin_loss": "uint8",
        "trapezoid": "uint8|dx", "unravel_index": "uint8",
    },
    "refused by both, by another class; or no out= here": {
        "chain_matmul": "out=", "clamp": "float32", "cumulative_trapezoid": "dx",
        "fake_quantize_per_tensor_affine": "float32", "float_power": "out=", "histogramdd": "range|a string",
        "interpolate": "argument 0", "isin": "out=", "linalg_norm": "ord", "linalg_tensorsolve": "dims", "max": "other",
        "min": "other", "nuclear_norm": "dim", "prod": "dim", "repeat_interleave": "few|nonsense",
        "sum_to_size": "nonsense", "threshold": "out=",
    },
}  # fmt: skip
FAULTS = {op: re.compile(faults) for group in SINGLE.values() for op, faults in group.items()}
PATTERNS = [re.compile(pattern) for patterns in DELIBERATE.values() for pattern in patterns]


@pytest.mark.parametrize("heading", DELIBERATE)
def test_headings(heading):
    assert f"# {heading}\n" in PAGE


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_wrong_calls(op):
    found, known = [], 0
    for call in calls(op):
        if (op.name, call.fault) in CRASHES or (op.name, None) in CRASHES:
            continue
        why = disagreement(op, call)
        if why is None or any(each.search(f"{op.name} | {call.fault} | {why}") for each in PATTERNS):
            continue
        if op.name in FAULTS and FAULTS[op.name].search(call.fault):
            known += 1
        else:
            found.append(f"{call} [{call.fault}] {why}")
    assert not found, "\n".join(found)
    assert known or op.name not in FAULTS, f"{op.name} differs no longer; take it from the table"
