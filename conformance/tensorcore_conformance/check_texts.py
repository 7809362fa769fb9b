"""What each check tries, in the words of the guide and the report."""

from __future__ import annotations

from typing import Final

__all__ = ["AREA_TEXTS", "CHECK_TEXTS"]

#: The checks of an op, in the order of reports.
CHECK_TEXTS: Final[dict[str, str]] = {
    "kernel": "each primitive has a kernel in each dtype that its rule names",
    "values": "the record's samples in every dtype: values, dtype, native array, shape, device; operands stay as is",
    "shapes": "0-d, empty, size 1, broadcast",
    "layout": "operands transposed, strided, with padded rows, reversed, offset, expanded, overlapping, each otherwise",
    "special": "every combination of ±0, infinities, NaN, halves, subnormal numbers and the dtype's limits",
    "wrap": "integers at the limits of their dtype",
    "ties": "equal elements, for ops that order",
    "long": "sums over 65,536 elements, which a naive float32 accumulation gets wrong",
    "large": "sizes beyond the width of vectors, the sides of blocks and 16 bits, multiples of them and others",
    "near": "numbers near 0, of many magnitudes and both signs, where formulas lose their digits",
    "wide": "magnitudes fifty times the usual, which overflow where exp comes before the maximum is subtracted",
    "far": "the usual spread far from 0, where differences of squares lose their digits",
    "convert": "every dtype to every other, integers at their limits",
    "halves": "conversions of what lies beside the midpoints of narrower formats, which must be rounded once",
    "truth": "zeros of both signs, halves, NaN, subnormal and complex numbers, each as a truth value of its own",
    "digits": "integers of every magnitude and at their limits, which no float holds and no negation survives",
    "parts": "complex numbers that have one part alone in common",
    "rows": "rows of infinities, of NaN, with some of them, and of zeros of both signs, for what reduces or orders",
    "dims": "operands of five dimensions, each counted from either end, several at once, in any order",
    "number": "each numeric argument another one, on operands of shapes met before",
    "empty": "operands without elements: shape, dtype and refusals of the reference device",
    "flag": "each flag of the signature the other way round, against the reference device",
    "same": "one tensor in the place of several operands",
    "refused": "dtypes, shapes and dimensions that the op does not take raise what the reference device raises",
    "repeat": "the same call gives the same bits, also after one with other elements of the same shapes",
    "after": "calls on operands of other sizes change neither results returned before nor the next ones",
    "changed": "operands written to in place after a call are read anew by the next",
    "alone": "results share memory with operands only where the op is a view, also where nothing is to be done",
    "poisoned": "values are right where the memory handed out held NaN and 99 before",
    "released": "native arrays die with the tensors that held them",
    "view": "writing to a view writes to its base, and the other way round",
    "inplace": "`x.op_()` gives what `x.op()` gives, also on a part of a tensor",
    "compiled": "`tc.compile` of the op, and of its gradient, gives what eager execution gives",
    "gradient": "gradients in float64 and complex128 against central differences along random directions",
    "tied": "gradients where elements are equal, along directions that keep them so",
    "second": "derivatives of the first gradient, by operands and cotangent, against differences of it",
    "complex_step": "gradients in float64 against the complex step of the oracle, where that is analytic",
    "direction": "gradients in each narrower dtype against those in float64",
    "draws": "Hypothesis's calls, the same for each seed, shrunk to the smallest that fails",
    "extra": "cases that plugins add",
}

#: What is checked beside single ops.
AREA_TEXTS: Final[dict[str, str]] = {
    "claims": "what `capabilities` says is so",
    "transfers": "host to device and back bit by bit, other devices, DLPack both ways",
    "interchange": "single numbers, memory as another dtype, shared with the host and by DLPack, strides, addresses",
    "overlap": "writes whose source lies in the memory that is written: right, or refused",
    "indexing": "a table of index expressions against NumPy, read and written, and indices out of range",
    "writing": "`copy_`, `fill_` and `zero_` in every dtype; writes to parts, however they lie",
    "errors": "calls that must be refused, as the reference device does it; the device works afterwards",
    "random": "the same seed gives the same tensor as on the reference device, draw after draw",
    "determinism": "the same program gives the same bits again, and in another process",
    "threads": "programs in several threads at once give what each gives alone",
    "async": "results do not depend on when the device gets round to them: operands overwritten or freed at once",
    "memory": "arrays die with their tensors, also of refused calls and of every shape; no call leaves objects behind",
    "compile": "recorded functions and training steps give what eager execution gives",
    "training": "the losses of 200 training steps are those of the same training in NumPy and float64, step by step; "
    "optimizers of many parameters under a falling rate",
}
