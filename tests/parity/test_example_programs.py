"""The example programs, and with changed imports in PyTorch: the same loss at each of a hundred steps.

Dropout is off, because the streams of masks differ by design. The images come from the same files for both.
"""

from __future__ import annotations

import re
import sys
import types
import warnings
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

import tensorcore  # noqa: E402 - after the skip
from tensorcore_vision.datasets import CIFAR10, FashionMNIST  # noqa: E402

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "docs" / "examples"

SMALL_RESNET = "--epochs 1 --batch-size 16 --width 4"

#: The arguments, and how close the losses have to be.
RUNS = {
    "autoencoder": ("--epochs 1 --steps 100 --batch-size 16", 1e-4),
    "gan": ("--steps 100 --batch-size 32 --width 32", 1e-4),
    "gpt": ("--steps 100 --batch-size 4 --context 32 --width 32", 1e-4),
    "graph_attention": ("--steps 100 --dropout 0", 1e-4),
    # At its own rate PyTorch differs from itself, with and without oneDNN, by 2 % and more.
    "image_classifier": ("--epochs 1 --steps 100 --batch-size 16 --width 4 --dropout 0 --lr 0.005", 1e-4),
    "policy_gradient": ("--episodes 100 --longest 50", 1e-4),
    "recommender": ("--people 40 --films 30 --ratings 4000 --batch-size 64 --epochs 2", 1e-4),
    "resnet_mixed_precision": (f"--precision float32 {SMALL_RESNET} --steps 100 --lr 0.005", 1e-4),
    "text_lstm": ("--epochs 1 --steps 100 --width 32 --window 32 --batch-size 8 --dropout 0", 1e-4),
    "translation": ("--steps 100 --batch-size 8 --width 32 --layers 1", 1e-4),
}


class FirstImages(FashionMNIST):
    """The first images, of which the test images are few."""

    def __init__(self, root: str | None = None, train: bool = True) -> None:
        super().__init__(root, train=train)
        count = 2000 if train else 100
        self.data, self.targets = self.data[:count], self.targets[:count]


class TorchImages:
    """The same as PyTorch's tensors."""

    def __init__(self, root: str | None = None, train: bool = True) -> None:
        found = FirstImages(root, train)
        self.tensors, self.classes = tuple(torch.from_numpy(part.numpy()) for part in found.tensors), found.classes


def losses(name: str, arguments: str, library: str, monkeypatch) -> list[float]:
    source = (EXAMPLES / f"{name}.py").read_text("utf-8")
    images = types.ModuleType("tensorcore_vision.datasets")
    images.FashionMNIST, images.CIFAR10 = FirstImages, CIFAR10
    if library == "torch":
        source = re.sub(r"\btensorcore\b", "torch", source)
        images.FashionMNIST = TorchImages
    monkeypatch.setitem(sys.modules, images.__name__, images)
    module = types.ModuleType(f"example_{name}")
    # dataclasses look their module up, and programs lie beside their data.
    module.__file__ = str(EXAMPLES / f"{name}.py")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(source, module.__file__, "exec", dont_inherit=True), module.__dict__)
    with warnings.catch_warnings():
        if library == "torch":
            warnings.simplefilter("ignore")
        found = module.main(arguments.split())
    monkeypatch.undo()
    return found


def compare(name: str, arguments: str, tolerance: float, monkeypatch) -> None:
    ours = losses(name, arguments, "tensorcore", monkeypatch)
    theirs = losses(name, arguments, "torch", monkeypatch)
    assert len(ours) == len(theirs)
    assert ours == pytest.approx(theirs, rel=tolerance, abs=tolerance / 10)


@pytest.mark.parametrize("name", sorted(RUNS))
def test_the_same_losses(name, monkeypatch, capsys):
    compare(name, *RUNS[name], monkeypatch)


@pytest.mark.parametrize(
    ("precision", "more", "tolerance"),
    [("bfloat16", "--steps 20 --lr 0.01", 5e-4), ("float16", "--steps 20 --lr 0.02", 5e-4)],
)
def test_the_same_losses_in_mixed_precision(precision, more, tolerance, monkeypatch, capsys):
    """Whether a number is rounded up or down to few digits depends on the last digits of float32: the difference grows
    from step to step, and as fast between PyTorch's kernels with and without oneDNN."""
    compare("resnet_mixed_precision", f"--precision {precision} {SMALL_RESNET} {more}", tolerance, monkeypatch)


def test_the_same_losses_at_a_rate_that_magnifies_rounding(monkeypatch, capsys):
    """At the program's own learning rate float32's rounding is magnified a thousandfold every ten steps, in PyTorch
    with and without oneDNN as well; float64 leaves a hundred steps equal to 1e-10."""
    tensorcore.set_default_dtype(tensorcore.float64)
    torch.set_default_dtype(torch.float64)
    try:
        compare("resnet_mixed_precision", f"--precision float32 {SMALL_RESNET} --steps 100", 1e-10, monkeypatch)
    finally:
        torch.set_default_dtype(torch.float32)
