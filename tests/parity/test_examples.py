"""The examples of the op records print the same in PyTorch."""

from __future__ import annotations

import doctest
import functools
import operator
import warnings

import pytest

torch = pytest.importorskip("torch")

from tensorcore.ops.record import REGISTRY, Op  # noqa: E402 - after the skip

FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

#: Examples that show what differs.
DIFFERENT = {
    "chalf": "there is no complex32",
    "cholesky_inverse": "-0.0",
    "empty": "PyTorch's elements are what was in memory",
    "empty_like": "PyTorch's elements are what was in memory",
    "fractional_max_pool3d_with_indices": "PyTorch wants all of its sizes in threes",
    "new_empty": "PyTorch's elements are what was in memory",
    "signal_windows_blackman": "PyTorch's rounding differs at zero",
    "softshrink": "-0.0",
}
#: What PyTorch has taken out, it refuses in other words.
REMOVED = {"eig", "lstsq", "matrix_rank", "solve", "symeig"}


def in_pytorch(op: Op) -> bool:
    try:
        operator.attrgetter(op.paths[0])(torch)
    except (AttributeError, IndexError):
        return False
    return True


@functools.cache
def shown() -> dict[str, str]:
    docs = {op.name: op.__doc__ or "" for op in REGISTRY.values() if in_pytorch(op)}
    return {name: doc for name, doc in docs.items() if ">>>" in doc and name not in {*REMOVED, *DIFFERENT}}


@pytest.mark.parametrize("name", sorted(shown()))
def test_example_in_pytorch(name):
    text = shown()[name].replace("tensorcore", "torch")
    test = doctest.DocTestParser().get_doctest(text, {"tc": torch, "F": torch.nn.functional}, name, None, 0)
    report: list[str] = []
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own, of names that it is about to drop
        runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
        runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)
