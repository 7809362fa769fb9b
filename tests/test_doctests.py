"""The examples in docstrings, run on the default device."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import tensorcore as tc
from tensorcore.ops.record import REGISTRY

PACKAGES = ("tensorcore", "tensorcore_zoo", "tensorcore_vision", "tensorcore_training", "tensorcore_conformance")
#: Libraries that a module's examples show and that need not be installed.
NEEDED = {"tensorcore.onnx.export": "onnx"}
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def names() -> Iterator[str]:
    for package in PACKAGES:
        yield package
        path = importlib.import_module(package).__path__
        yield from (each.name for each in pkgutil.walk_packages(path, f"{package}.") if "__main__" not in each.name)


def run(test: doctest.DocTest) -> None:
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    runner.run(test, out=report.append)
    if runner.failures:
        pytest.fail("".join(report), pytrace=False)


@pytest.mark.parametrize("name", sorted(names()))
def test_examples_of_a_module(name, tmp_path, monkeypatch):
    if name in NEEDED:
        pytest.importorskip(NEEDED[name])
    monkeypatch.chdir(tmp_path)  # examples may save files
    module = importlib.import_module(name)
    for test in doctest.DocTestFinder().find(module, extraglobs={"tc": tc}):
        if test.examples:
            tc.manual_seed(0)
            run(test)


# A record is an object, not a function, so the finder passes it by.
@pytest.mark.parametrize("name", sorted(op.name for op in REGISTRY.values() if ">>>" in (op.__doc__ or "")))
def test_examples_of_an_op(name):
    doc = REGISTRY[name].__doc__ or ""
    run(doctest.DocTestParser().get_doctest(doc, {"tc": tc, "F": tc.nn.functional}, name, None, 0))


def test_every_public_op_has_an_example():
    assert not [op.name for op in REGISTRY.values() if op.paths and ">>>" not in (op.__doc__ or "")]
