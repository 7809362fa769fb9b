"""Train a residual network in mixed precision: autocast, scaled gradients, one cycle of the learning rate.

Products and convolutions run in bfloat16 (or float16, whose gradients are scaled up so that they do not vanish), the
rest and the parameters in float32. A moving average of the parameters is what is judged in the end. Images are
Fashion-MNIST's or, with ``--data folder``, CIFAR-10's in that folder.

    python resnet_mixed_precision.py --epochs 3 --precision bfloat16
"""

from __future__ import annotations

import argparse
import time
from itertools import islice

import tensorcore as tc
from tensorcore import nn
from tensorcore.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn
from tensorcore.utils.data import DataLoader, TensorDataset
from tensorcore_vision.datasets import CIFAR10, FashionMNIST


class Residual(nn.Module):
    """Two convolutions, added to what came in; ``stride`` halves the sides, and then a shortcut fits the rest."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        # A block begins as its shortcut alone.
        nn.init.zeros_(self.norm2.weight)

    def forward(self, x: tc.Tensor) -> tc.Tensor:
        y = self.relu(self.norm1(self.conv1(x)))
        return self.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


def resnet(channels: int, width: int, blocks: int, classes: int = 10) -> nn.Sequential:
    """Three stages of ``blocks`` residual blocks, each stage twice as wide at half of the size (He et al., 2015)."""
    layers: list[nn.Module] = [
        nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True)
    ]  # fmt: skip
    came = width
    for stage in range(3):
        for block in range(blocks):
            goes = width * 2**stage
            layers.append(Residual(came, goes, stride=2 if stage and not block else 1))
            came = goes
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(came, classes))


def images(folder: str | None, train: bool) -> TensorDataset:
    """Images of shape (N, channels, side, side) around zero, and labels."""
    if folder is None:
        pixels, labels = FashionMNIST(train=train).tensors
    else:
        found = CIFAR10(folder, train=train)
        pixels, labels = tc.from_numpy(found.data).permute(0, 3, 1, 2).float() / 255, tc.tensor(found.targets)
    return TensorDataset((pixels - 0.5) / 0.25, labels)


@tc.inference_mode()
def accuracy(model: nn.Module, loader: DataLoader, device: str) -> float:
    """The share of images that the model gets right."""
    model.eval()
    right = sum(int((model(x.to(device)).argmax(1).cpu() == labels).sum()) for x, labels in loader)
    return right / len(loader.dataset)


def main(arguments: list[str] | None = None) -> list[float]:
    """Train, print the accuracy of the model and of its average, and give the loss of each step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with CIFAR-10 (default: the package's images of Fashion-MNIST)")
    parser.add_argument("--precision", choices=["float32", "bfloat16", "float16"], default="bfloat16")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--steps", type=int, help="at most so many steps an epoch")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--width", type=int, default=8, help="channels of the first stage")
    parser.add_argument("--blocks", type=int, default=1, help="residual blocks a stage")
    parser.add_argument("--lr", type=float, default=0.2, help="the highest, after a third of the steps")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)

    tc.manual_seed(args.seed)
    train, test = images(args.data, train=True), images(args.data, train=False)
    loader = DataLoader(train, batch_size=args.batch_size, shuffle=True, drop_last=True)
    test_loader = DataLoader(test, batch_size=250)
    steps = min(len(loader), args.steps or len(loader))

    model = resnet(train.tensors[0].size(1), args.width, args.blocks).to(args.device)
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.98))
    loss_of = nn.CrossEntropyLoss()
    optimizer = tc.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=5e-4)
    schedule = tc.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=args.lr, total_steps=args.epochs * steps)
    dtype = getattr(tc, args.precision)
    scaler = tc.amp.GradScaler(args.device, enabled=dtype == tc.float16)

    losses: list[float] = []
    start = time.perf_counter()
    for epoch in range(1, args.epochs + 1):
        model.train()
        for step, (x, labels) in enumerate(islice(loader, steps), 1):
            with tc.autocast(args.device, dtype=dtype, enabled=dtype != tc.float32):
                loss = loss_of(model(x.to(args.device)), labels.to(args.device))
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            scaler.step(optimizer)
            scaler.update()
            schedule.step()
            averaged.update_parameters(model)
            losses.append(loss.item())
            if step % 50 == 0 or step == steps:
                speed = len(losses) * args.batch_size / (time.perf_counter() - start)
                print(f"epoch {epoch}/{args.epochs}  step {step}/{steps}  loss {losses[-1]:.4f}  {speed:.0f} images/s")
        print(f"test accuracy {accuracy(model, test_loader, args.device):.1%}")
    update_bn(islice(loader, 20), averaged, device=args.device)
    print(f"test accuracy of the averaged model {accuracy(averaged, test_loader, args.device):.1%}")
    return losses


if __name__ == "__main__":
    main()
