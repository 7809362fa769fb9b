"""Training steps as programs run them, eager: forward, loss, backward and update, and what feeds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.benchmarks.cases import Case, classifier

#: PyTorch's time over ours, in the geometric mean over all rows, is to be at least this.
GATE = 0.8


def _steps(t: Any, model: Any, optimizer: Any, loss_of: Callable[[], Any]) -> Callable[[], Any]:
    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss

    return step


def _classifying(t: Any, model: Any, optimizer: Any, images: Any) -> Callable[[], Any]:
    labels = t.randint(0, 10, (len(images),))
    return _steps(t, model, optimizer, lambda: t.nn.functional.cross_entropy(model(images), labels))


def mlp(t: Any) -> Callable[[], Any]:
    """Three linear layers, 784-512-512-10, batch 64, Adam."""
    model = classifier(t)
    return _classifying(t, model, t.optim.Adam(model.parameters()), t.rand(64, 1, 28, 28))


def lenet(t: Any) -> Callable[[], Any]:
    """LeNet-5 with ReLU and maximum pooling, batch 64, SGD with momentum."""
    nn = t.nn
    t.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    return _classifying(t, model, t.optim.SGD(model.parameters(), lr=0.01, momentum=0.9), t.rand(64, 1, 28, 28))


def resnet(t: Any) -> Callable[[], Any]:
    """ResNet-8 for 32×32: three stages of 16, 32 and 64 channels, one block each, batch 32, SGD with momentum."""
    nn = t.nn

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, came: int, goes: int, stride: int) -> None:
            super().__init__()
            self.conv1, self.norm1 = nn.Conv2d(came, goes, 3, stride, 1, bias=False), nn.BatchNorm2d(goes)
            self.conv2, self.norm2 = nn.Conv2d(goes, goes, 3, 1, 1, bias=False), nn.BatchNorm2d(goes)
            self.shortcut = nn.Sequential()
            if stride != 1:
                self.shortcut = nn.Sequential(nn.Conv2d(came, goes, 1, stride, bias=False), nn.BatchNorm2d(goes))

        def forward(self, x: Any) -> Any:
            y = self.norm1(self.conv1(x)).relu()
            return (self.norm2(self.conv2(y)) + self.shortcut(x)).relu()

    t.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), Block(16, 16, 1), Block(16, 32, 2),
        Block(32, 64, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )  # fmt: skip
    optimizer = t.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    return _classifying(t, model, optimizer, t.rand(32, 3, 32, 32))


def gpt(t: Any) -> Callable[[], Any]:
    """Two blocks of causal attention, 128 wide with 4 heads, on 16 texts of 64 characters, AdamW."""
    nn, functional = t.nn, t.nn.functional

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(128), nn.LayerNorm(128)
            self.qkv, self.out = nn.Linear(128, 384), nn.Linear(128, 128)
            self.mlp = nn.Sequential(nn.Linear(128, 512), nn.GELU(), nn.Linear(512, 128))

        def forward(self, x: Any) -> Any:
            count, length, width = x.shape
            q, k, v = [
                part.view(count, length, 4, 32).transpose(1, 2) for part in self.qkv(self.norm1(x)).split(width, dim=2)
            ]
            seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(seen.transpose(1, 2).reshape(count, length, width))
            return x + self.mlp(self.norm2(x))

    class GPT(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.places = nn.Embedding(65, 128), nn.Embedding(64, 128)
            self.blocks = nn.Sequential(Block(), Block())
            self.norm, self.head = nn.LayerNorm(128), nn.Linear(128, 65, bias=False)

        def forward(self, x: Any) -> Any:
            return self.head(self.norm(self.blocks(self.tokens(x) + self.places(t.arange(x.shape[1])))))

    t.manual_seed(0)
    model = GPT()
    x, y = t.randint(0, 65, (16, 64)), t.randint(0, 65, (16, 64))
    optimizer = t.optim.AdamW(model.parameters(), lr=1e-3)
    return _steps(t, model, optimizer, lambda: functional.cross_entropy(model(x).view(-1, 65), y.view(-1)))


def lstm(t: Any) -> Callable[[], Any]:
    """Two layers of LSTM, 128 wide, over 32 texts of 32 characters, gradients clipped, Adam."""
    nn, functional = t.nn, t.nn.functional

    class Model(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.head = nn.Embedding(65, 64), nn.Linear(128, 65)
            self.lstm = nn.LSTM(64, 128, 2, batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.head(self.lstm(self.embed(x))[0])

    t.manual_seed(0)
    model = Model()
    x, y = t.randint(0, 65, (32, 32)), t.randint(0, 65, (32, 32))
    optimizer = t.optim.Adam(model.parameters(), lr=2e-3)

    def step() -> Any:
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x).transpose(1, 2), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss

    return step


def _epoch(loader: Any) -> Callable[[], Any]:
    def run() -> None:
        for _ in loader:
            pass

    return run


def rows(t: Any) -> Callable[[], Any]:
    """An epoch of 6,400 images held in one tensor, shuffled, in batches of 64."""
    data = t.utils.data.TensorDataset(t.rand(6400, 1, 28, 28), t.arange(6400))
    return _epoch(t.utils.data.DataLoader(data, batch_size=64, shuffle=True))


def samples(t: Any) -> Callable[[], Any]:
    """An epoch of 1,600 images that a data set of one's own makes one by one, shuffled, in batches of 32."""

    class Images(t.utils.data.Dataset):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self.pixels = t.randint(0, 256, (1600, 3, 32, 32), dtype=t.uint8)

        def __len__(self) -> int:
            return len(self.pixels)

        def __getitem__(self, index: int) -> Any:
            return (self.pixels[index].float() / 255 - 0.5) / 0.25, index % 10

    return _epoch(t.utils.data.DataLoader(Images(), batch_size=32, shuffle=True))


def cases() -> Iterator[Case]:
    """All cases."""
    yield Case("MLP 784-512-512-10, batch 64, Adam", mlp)
    yield Case("LeNet, batch 64, SGD", lenet)
    yield Case("ResNet-8 for 32×32, batch 32, SGD", resnet)
    yield Case("GPT, 2 blocks of 128, 16×64, AdamW", gpt)
    yield Case("LSTM, 2 layers of 128, 32×32, Adam", lstm)
    yield Case("DataLoader, 6,400 rows, batch 64", rows)
    yield Case("DataLoader, 1,600 samples, batch 32", samples)
