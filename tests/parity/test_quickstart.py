"""The quickstart program, and with changed imports in PyTorch: the same losses, the same predictions."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from types import ModuleType

import pytest

torch = pytest.importorskip("torch")

from tensorcore_vision.datasets import FashionMNIST  # noqa: E402
from tensorcore_zoo.classifier import Classifier  # noqa: E402

PROGRAM = Path(__file__).resolve().parent.parent.parent / "docs" / "examples" / "quickstart.py"


class FirstImages(FashionMNIST):
    """The first 512 images, which is enough to see a difference."""

    def __init__(self, train: bool = True) -> None:
        super().__init__(train=train)
        self.data, self.targets = self.data[:512], self.targets[:512]


class TorchImages(torch.utils.data.Dataset):
    """The same samples as PyTorch's tensors."""

    def __init__(self, train: bool = True) -> None:
        self.tensors = tuple(torch.from_numpy(tensor.numpy()) for tensor in FirstImages(train).tensors)

    def __getitem__(self, index):
        return self.tensors[0][index], int(self.tensors[1][index])

    def __len__(self) -> int:
        return len(self.tensors[0])


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs two epochs of the program with some words replaced; gives its variables and the losses it printed."""
    monkeypatch.chdir(tmp_path)

    def call(images: type, **replacements: str):
        source = PROGRAM.read_text("utf-8").replace("range(5)", "range(2)").replace(":.3f}", ":.9f}")
        for old, new in {"from tensorcore_vision.datasets import FashionMNIST": "", **replacements}.items():
            assert old in source
            source = source.replace(old, new)
        Path("program.py").write_text(source, "utf-8")
        variables = runpy.run_path("program.py", {"FashionMNIST": images})
        return variables, [float(loss) for loss in re.findall(r"loss ([\d.]+)", capsys.readouterr().out)]

    return call


def test_the_same_losses_and_predictions(run):
    ours, losses = run(FirstImages)
    theirs, expected = run(TorchImages, tensorcore="torch")
    assert isinstance(theirs["tc"], ModuleType) and theirs["tc"] is torch
    assert len(losses) == 2 and losses == pytest.approx(expected, rel=1e-4)
    assert ours["accuracy"] == pytest.approx(theirs["accuracy"], abs=2 / 512)
    # Either reads what the other wrote.
    ours["model"].load_state_dict(ours["tc"].load("classifier.pt"))
    images, _ = ours["test"].tensors
    logits = theirs["model"](torch.from_numpy(images.numpy())).detach().numpy()
    assert ours["model"](images).detach().numpy() == pytest.approx(logits, abs=1e-4)


def test_the_classifier_begins_with_pytorchs_weights():
    import tensorcore as tc

    tc.manual_seed(7)
    ours = Classifier().state_dict()
    torch.manual_seed(7)
    stack = torch.nn.Sequential(
        torch.nn.Linear(784, 512), torch.nn.ReLU(), torch.nn.Linear(512, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10)
    )
    for name, value in stack.state_dict().items():
        assert (ours[f"linear_relu_stack.{name}"].numpy() == value.numpy()).all(), name
