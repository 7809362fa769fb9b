"""Peak memory of training: the same programs in a fresh process each, with either library.

``python -m tests.benchmarks.memory tensorcore cnn`` prints what one process measures: MiB of resident memory before the
first step, and how much more its peak was during the steps.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: The largest ratio to the memory that PyTorch's steps take.
GATE = 1.0
STEPS = 4


def cnn(t: Any) -> Callable[[], Any]:
    """Two convolutions, pooling and two layers on a batch of 128 pictures, by Adam."""
    nn = t.nn
    t.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip
    x, y = t.rand(128, 1, 28, 28), t.randint(0, 10, (128,))
    return _step(t, model, lambda: t.nn.functional.cross_entropy(model(x), y))


def transformer(t: Any) -> Callable[[], Any]:
    """Four blocks of causal attention, 192 wide with 6 heads, on 16 texts of 128 characters, by Adam."""
    nn, functional = t.nn, t.nn.functional

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(192), nn.LayerNorm(192)
            self.qkv, self.out = nn.Linear(192, 576), nn.Linear(192, 192)
            self.widen, self.narrow = nn.Linear(192, 768), nn.Linear(768, 192)

        def forward(self, x: Any) -> Any:
            count, length, _ = x.shape
            q, k, v = [
                part.view(count, length, 6, 32).transpose(1, 2) for part in self.qkv(self.norm1(x)).split(192, dim=2)
            ]
            seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(seen.transpose(1, 2).reshape(count, length, 192))
            return x + self.narrow(functional.gelu(self.widen(self.norm2(x))))

    t.manual_seed(0)
    model = nn.Sequential(nn.Embedding(65, 192), *[Block() for _ in range(4)], nn.LayerNorm(192), nn.Linear(192, 65))
    x, y = t.randint(0, 65, (16, 128)), t.randint(0, 65, (16, 128))
    return _step(t, model, lambda: functional.cross_entropy(model(x).view(-1, 65), y.view(-1)))


def _step(t: Any, model: Any, loss_of: Callable[[], Any]) -> Callable[[], Any]:
    optimizer = t.optim.Adam(model.parameters())

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


PROGRAMS = {"cnn": cnn, "transformer": transformer}


def _status(field: str) -> float:
    text = Path("/proc/self/status").read_text()
    return int(text.split(f"{field}:")[1].split()[0]) / 1024


def measure(library: str, program: str) -> tuple[float, float]:
    """MiB resident before the first step, and what the peak of the steps adds; in this process."""
    step = PROGRAMS[program](importlib.import_module(library))
    before = _status("VmRSS")
    # Forget the peak of importing.
    Path("/proc/self/clear_refs").write_text("5")
    for _ in range(STEPS):
        step()
    return before, _status("VmHWM") - before


def in_fresh_process(library: str, program: str) -> tuple[float, float]:
    """`measure` where nothing else was run."""
    command = [sys.executable, "-m", "tests.benchmarks.memory", library, program]
    before, more = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(before), float(more)


if __name__ == "__main__":
    print(*measure(*sys.argv[1:3]))
