"""Tell pieces of clothing apart: a convolutional network on Fashion-MNIST.

Two stages of convolution, batch normalisation and pooling, images mirrored at random, SGD with Nesterov's momentum and
a learning rate that falls along a cosine. The package carries 14,000 images; ``--data`` names a folder with all 60,000.

    python image_classifier.py --epochs 5
"""

from __future__ import annotations

import argparse
from itertools import islice

import tensorcore as tc
from tensorcore import nn
from tensorcore.utils.data import DataLoader, TensorDataset
from tensorcore_vision.datasets import FashionMNIST


class ConvNet(nn.Module):
    """Images of shape (N, 1, 28, 28) to logits of shape (N, 10)."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.features = nn.Sequential(self.stage(1, width), self.stage(width, 2 * width))
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(2 * width * 7 * 7, 128), nn.ReLU(), nn.Dropout(dropout), nn.Linear(128, 10)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    @staticmethod
    def stage(inputs: int, outputs: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)
        )

    def forward(self, images: tc.Tensor) -> tc.Tensor:
        return self.classifier(self.features(images))


def mirrored(images: tc.Tensor) -> tc.Tensor:
    """Each image, or its mirror image, by the toss of a coin."""
    heads = tc.rand(len(images), 1, 1, 1) < 0.5
    return tc.where(heads.to(images.device), images.flip(-1), images)


@tc.no_grad()
def evaluate(model: nn.Module, loader: DataLoader, device: str) -> tuple[float, tc.Tensor]:
    """The share of images that the model gets right, of all classes and of each."""
    model.eval()
    confusion = tc.zeros(10, 10, dtype=tc.int64)
    for images, labels in loader:
        guesses = model(images.to(device)).argmax(1).cpu()
        confusion += tc.bincount(labels * 10 + guesses, minlength=100).view(10, 10)
    right = confusion.diagonal()
    return (right.sum() / confusion.sum()).item(), right / confusion.sum(1).clamp(min=1)


def main(arguments: list[str] | None = None) -> list[float]:
    """Train, print the accuracy on the test images after each epoch, and give the loss of each step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of Fashion-MNIST's four files (default: the images of the package)")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--steps", type=int, help="at most so many steps an epoch")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--width", type=int, default=16, help="channels of the first stage")
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", help="file for the trained parameters")
    args = parser.parse_args(arguments)

    tc.manual_seed(args.seed)
    train, test = FashionMNIST(args.data, train=True), FashionMNIST(args.data, train=False)
    loader = DataLoader(TensorDataset(*train.tensors), batch_size=args.batch_size, shuffle=True, drop_last=True)
    test_loader = DataLoader(TensorDataset(*test.tensors), batch_size=250)
    steps = min(len(loader), args.steps or len(loader))

    model = ConvNet(args.width, args.dropout).to(args.device)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.05)
    optimizer = tc.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = tc.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs * steps)

    losses: list[float] = []
    for epoch in range(1, args.epochs + 1):
        model.train()
        for step, (images, labels) in enumerate(islice(loader, steps), 1):
            loss = loss_of(model(mirrored(images.to(args.device))), labels.to(args.device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            if step % 50 == 0 or step == steps:
                print(f"epoch {epoch}/{args.epochs}  step {step}/{steps}  loss {losses[-1]:.4f}")
        accuracy, by_class = evaluate(model, test_loader, args.device)
        worst = int(by_class.argmin())
        print(f"test accuracy {accuracy:.1%}, least for {test.classes[worst]} ({by_class[worst]:.0%})")
    if args.save:
        tc.save(model.state_dict(), args.save)
    return losses


if __name__ == "__main__":
    main()
