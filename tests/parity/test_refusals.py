"""Every op refuses what PyTorch refuses: with a class of errors that the same ``except`` catches, and its name.

`refusals` makes the calls: the samples of each op's record with one fault each. What deliberately differs is listed
here, under the heading of docs/differences.md that says so.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("torch")

from refusals import CRASHES, METHODS, OPS, calls, disagreement

PAGE = (Path(__file__).parents[2] / "docs" / "differences.md").read_text("utf-8")

#: Patterns of ``op | fault | how they differ``, by the heading that tells of them.
DELIBERATE = {
    "Wrong arguments": (
        # PyTorch has no kernel for the dtype or for a side of 0; the answer is plain.
        r"gives .* raises NotImplementedError",
        r"gives .*(not implemented for|not supported|not yet implemented|does not support|only support|Unsupported"
        r"|unspecified dimension size -1"
        r"|unsupported operation|MKL FFT error|could not create a primitive|Integral inputs|not be a boolean"
        r"|Only zero batch|no longer supported|ZeroDivisionError|Expected both inputs to be|infer output dtype)",
        # Operands of two dtypes promote.
        r"gives .*(same dtype|scalar type|mixed dtype|share same datatype|different dtypes|must be the same"
        r"|should match|can't be cast|same datatype|expected dtype|Expected .*dtype)",
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
        r": (bool|uint8|int64|float16|float64|bfloat16|complex64) \| gives \(?(float|bool|int|complex)[^;]*\]"
        r".* gives \(?(uint|float|bfloat|complex)",
        r"complex64 \| raises DTypeError: .* expected a real .* gives ",
        # Strings as flags are refused where PyTorch takes any truth, and out= of a dtype too narrow for the result.
        r"='nonsense' \| raises ArgumentError: .* must be True or False",
        r"a string \| raises ArgumentError: .* must be True or False",
        r"=None \| raises ArgumentError: .* must be True or False",
        r"\| out= \| raises DTypeError: .* does not hold",
        # Values of a batch of 0 beside queries and keys of 2, of which PyTorch reads what lies elsewhere.
        r"^scaled_dot_product_attention \| argument 2: no rows \| raises ShapeError",
        # What PyTorch never looks at, or reads as something else.
        r"=('nonsense'|None) \| raises ArgumentError: .* must be a number",
        r"^grid_sampler(_[23]d)? \| argument [23]: -?\d \| raises RangeError",
        r"reduction must be 0 \(none\), 1 \(mean\) or 2 \(sum\), got -?\d; PyTorch gives",
        r"^linear_cross_entropy \| (label_smoothing|options).* raises (RangeError|ArgumentError)",
        r"^istft \| length: -\d \| raises RangeError",
        r"^fft_rfftfreq \| argument 0: -1 \| raises ShapeError",
        r"^index_add \| (argument 0|self): no rows \| raises DimensionError",
        r"^affine_grid_generator \| argument 0: \w+ \| raises RangeError",
        r"^linalg_lstsq \| argument 0: a dimension more \| raises ShapeError",
        r"^multi_head_attention_forward \| argument 10: -1\.0 \| raises RangeError",
        r"^svd_lowrank \| niter=-7 \| raises RangeError",
        r"^(rnn_(tanh|relu)|gru) \| argument .* (more|fewer|0-d) \| raises ShapeError",
        r"^rnn_relu \| operands of u?int\d+ \| raises DTypeError",
        r"^linalg_solve_triangular \| argument 1: \w+ \| gives",
        r"^fractional_max_pool\w+ \| argument 1: .* \| raises ShapeError",
        r"^lobpcg \| (iK|method)=.* \| raises",
        # Scales of dtypes for which PyTorch has no kernel.
        r"gives .*(Scale must be Float|INTERNAL ASSERT FAILED)",
        # A result of another shape, put in place of the tensor's.
        r"^addbmm \| self: (0-d|a dimension fewer) \| raises ShapeError",
        # `true_divide_` has no argument of this name, but `div_` has.
        r"^div \| rounding_mode='nonsense' \| raises RangeError",
        # Sides of 0 that PyTorch comes upon on the way; the step of `arange` without its start, as NumPy has it.
        r"^(positional_)?(embedding_bag|instance_norm) .*no (rows|columns) \| gives",
        r"^arange \| step=.* \| gives",
    ),
    "Integers": (
        # The sums of ends, and the negated targets, that wrap in PyTorch.
        r"^(trapezoid|cumulative_trapezoid|soft_margin_loss) \| argument \d: uint8 \|",
        r"^positional_hinge_embedding_loss \| .* u?int\d+ \| gives float32.* gives u?int",
    ),
    "Rounding": (
        r"^polygamma_of \| self: int64 \| gives inf",
        r"^upsample_bilinear \| argument 0: uint8 \| gives",
        # PyTorch's product of 0 and an infinity on the way.
        r"^ldexp \| operands of uint8 \| gives 0\.0 .* gives nan",
    ),
    "No complex32": (r"PyTorch gives complex32",),
    "Layers": (r"^pixel_unshuffle \| argument 0: no (rows|columns) \| gives",),
    "Distributions": (r"^sample_dirichlet \| argument 0: 0-d \| raises",),
    "Programs that PyTorch refuses": (
        r"^stft \| argument 0: no rows \| gives",
        r"^detach_ \| self: (expanded|a view of a leaf) \| gives",
        r"^float_power \| self: (float|bfloat|complex)\d+ \| gives",
    ),
    "Gradients": (
        # Where PyTorch writes what depends on the order, and into leaves whose graph then tells another story.
        r"\| self: expanded \| raises InplaceError",
        r"^logical_\w+ \| self: a (view of a )?leaf \| raises InplaceError",
    ),
    "Classes of errors": (
        # Where PyTorch comes upon a dimension that is not there, the shape is what is wrong.
        r"raises (Shape|DType|Range)Error: .* raises IndexError",
        r"(: |=)(5|\[0, 0\]|None|nothing|-?\d+|1\.5|one more|one fewer|.*in front) \| raises (Shape|Dimension|Range)"
        r"Error.* raises TypeError",
        r"too few \| raises ShapeError.* raises TypeError",
        r"raises TypeError: .* must be ints, got .* raises (ValueError|IndexError)",
        # Python's own, where a tuple of sizes turns out too short.
        r"raises ArgumentError: .* raises IndexError: tuple index out of range",
    ),
}  # fmt: skip
PATTERNS = [re.compile(pattern) for patterns in DELIBERATE.values() for pattern in patterns]


@pytest.mark.parametrize("heading", DELIBERATE)
def test_headings(heading):
    assert f"# {heading}\n" in PAGE


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_wrong_calls(op):
    check(op)


@pytest.mark.parametrize("name", METHODS)
def test_wrong_calls_in_place(name):
    check(METHODS[name], f"Tensor.{name}")


def check(op, path=None):
    found = []
    for call in calls(op, path):
        if (op.name, call.fault) in CRASHES or (op.name, None) in CRASHES:
            continue
        why = disagreement(op, call)
        if why is None or any(each.search(f"{op.name} | {call.fault} | {why}") for each in PATTERNS):
            continue
        found.append(f"{call} [{call.fault}] {why}")
    assert not found, "\n".join(found)
