"""Draw new pieces of clothing: a variational autoencoder on Fashion-MNIST.

The encoder gives a normal distribution over codes for each image, the decoder the brightness of each pixel from a code
drawn from it. The loss is the negative of the evidence lower bound (Kingma and Welling, arXiv:1312.6114). Afterwards
an image, its reconstruction and a new one are shown as text.

    python autoencoder.py --epochs 5
"""

from __future__ import annotations

import argparse
from itertools import islice

import tensorcore as tc
import tensorcore.nn.functional as F
from tensorcore import nn
from tensorcore.distributions import Independent, Normal, kl_divergence
from tensorcore.utils.data import DataLoader, TensorDataset
from tensorcore_vision.datasets import FashionMNIST


class Encoder(nn.Module):
    """Images of shape (N, 1, 28, 28) to a distribution over codes of shape (N, size)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 16, 4, stride=2, padding=1), nn.SiLU(),
            nn.Conv2d(16, 32, 4, stride=2, padding=1), nn.SiLU(),
            nn.Flatten(), nn.Linear(32 * 7 * 7, 2 * size),
        )  # fmt: skip

    def forward(self, images: tc.Tensor) -> Independent:
        mean, spread = self.layers(images).chunk(2, dim=1)
        return Independent(Normal(mean, F.softplus(spread) + 1e-4), 1)


class Decoder(nn.Module):
    """Codes of shape (N, size) to logits of pixels, (N, 1, 28, 28)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(size, 32 * 7 * 7), nn.SiLU(), nn.Unflatten(1, (32, 7, 7)),
            nn.ConvTranspose2d(32, 16, 4, stride=2, padding=1), nn.SiLU(),
            nn.ConvTranspose2d(16, 1, 4, stride=2, padding=1),
        )  # fmt: skip

    def forward(self, codes: tc.Tensor) -> tc.Tensor:
        return self.layers(codes)


class Autoencoder(nn.Module):
    """Both, with a standard normal distribution as the prior of codes."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(size), Decoder(size)
        self.register_buffer("mean", tc.zeros(size))
        self.register_buffer("spread", tc.ones(size))

    @property
    def prior(self) -> Independent:
        return Independent(Normal(self.mean, self.spread), 1)

    def loss(self, images: tc.Tensor, weight: float) -> tuple[tc.Tensor, tc.Tensor]:
        """Nats an image: of its pixels given the code, and of the code."""
        codes = self.encoder(images)
        logits = self.decoder(codes.rsample())
        pixels = F.binary_cross_entropy_with_logits(logits, images, reduction="sum") / len(images)
        return pixels, weight * kl_divergence(codes, self.prior).mean()


def as_text(*images: tc.Tensor) -> str:
    """Images of shape (1, 28, 28) beside one another, a character for one pixel in two rows."""
    shades = " .:-=+*#%@"
    rows = tc.cat([image[0, ::2] for image in images], dim=1).mul(9).round().int().tolist()
    return "\n".join("".join(shades[shade] for shade in row) for row in rows)


def main(arguments: list[str] | None = None) -> list[float]:
    """Train, show what the model draws, and give the loss of each step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder of Fashion-MNIST's four files (default: the images of the package)")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--steps", type=int, help="at most so many steps an epoch")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--code", type=int, default=16, help="numbers in a code")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)

    tc.manual_seed(args.seed)
    data = TensorDataset(*FashionMNIST(args.data, train=True).tensors)
    loader = DataLoader(data, batch_size=args.batch_size, shuffle=True, drop_last=True)
    steps = min(len(loader), args.steps or len(loader))
    model = Autoencoder(args.code).to(args.device)
    optimizer = tc.optim.Adam(model.parameters(), lr=args.lr)

    losses: list[float] = []
    for epoch in range(1, args.epochs + 1):
        for step, (images, _) in enumerate(islice(loader, steps), 1):
            # The codes count little at first, else the decoder learns to do without them.
            weight = min(1.0, (len(losses) + 1) / 200)
            pixels, codes = model.loss(images.to(args.device), weight)
            loss = pixels + codes
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if step % 50 == 0 or step == steps:
                print(f"epoch {epoch}/{args.epochs}  step {step}/{steps}  pixels {pixels:.1f}  codes {codes:.1f}")

    model.eval()
    with tc.no_grad():
        image = data[0][0].to(args.device)
        again = model.decoder(model.encoder(image.unsqueeze(0)).mean).sigmoid()[0]
        new = model.decoder(model.prior.sample((1,))).sigmoid()[0]
    print(as_text(image, again, new))
    return losses


if __name__ == "__main__":
    main()
