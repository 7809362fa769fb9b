"""Programs on modules run on both libraries, and all they return compared, floats within a tolerance."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

import tensorcore as tc

torch = pytest.importorskip("torch")

from against_torch import same  # noqa: E402
from programs import CLASSES, run  # noqa: E402


def flat(value):
    """The tensors and plain values of a nest, in order."""
    if isinstance(value, (list, tuple)):
        return [leaf for each in value for leaf in flat(each)]
    if isinstance(value, Mapping):
        return flat(list(value.items()))
    return [value]


def agree(source, tolerance=2e-4):
    """Both libraries give the same, or errors that the same ``except`` catches."""
    try:
        theirs = run(torch, source)
    except Exception as error:
        kind = next((k for k in (AssertionError, *CLASSES) if isinstance(error, k)), Exception)
        with pytest.raises(kind) as raised:
            run(tc, source)
        assert str(raised.value)
        return
    mine, its = flat(run(tc, source)), flat(theirs)
    assert len(mine) == len(its), source
    for place, (a, b) in enumerate(zip(mine, its, strict=True)):
        if isinstance(b, torch.Size):
            assert tuple(a) == tuple(b), f"{source}: value {place}"
        else:
            same(a, b, f"{source}: value {place}", tolerance)
