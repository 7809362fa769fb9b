"""Learn to draw from eight islands: a Wasserstein GAN with gradient penalty on points in the plane.

The critic scores points such that real ones get more than made ones, with slopes of about 1, for which the loss has
the norm of a gradient in it (Gulrajani et al., arXiv:1704.00028): training goes through second derivatives. The
generator raises the scores of what it makes. Eight normal distributions on a ring show at once where one was missed.

    python gan.py --steps 1500
"""

from __future__ import annotations

import argparse
import math

import tensorcore as tc
from tensorcore import nn

ISLANDS, SPREAD = 8, 0.05


def real_points(count: int, device: str) -> tc.Tensor:
    """Points around eight centres on the unit circle, (count, 2)."""
    angles = tc.randint(0, ISLANDS, (count,), device=device) * (2 * math.pi / ISLANDS)
    return tc.stack([angles.cos(), angles.sin()], dim=1) + SPREAD * tc.randn(count, 2, device=device)


def perceptron(inputs: int, width: int, outputs: int, activation: type[nn.Module]) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, width), activation(), nn.Linear(width, width), activation(), nn.Linear(width, outputs)
    )


def gradient_penalty(critic: nn.Module, real: tc.Tensor, made: tc.Tensor) -> tc.Tensor:
    """Mean squared distance of the critic's slope from 1, at points between real and made ones."""
    share = tc.rand(len(real), 1, device=real.device)
    between = tc.lerp(made, real, share).requires_grad_()
    (slope,) = tc.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slope.norm(dim=1) - 1).square().mean()


def islands_found(points: tc.Tensor) -> tuple[int, float]:
    """How many islands hold their share of the points, and what part of the points lies on an island."""
    angles = tc.arange(ISLANDS) * (2 * math.pi / ISLANDS)
    distance, nearest = tc.cdist(points.cpu(), tc.stack([angles.cos(), angles.sin()], dim=1)).min(dim=1)
    on_island = distance < 4 * SPREAD
    counts = tc.bincount(nearest[on_island], minlength=ISLANDS)
    return int((counts > 0.2 * len(points) / ISLANDS).sum()), on_island.float().mean().item()


def main(arguments: list[str] | None = None) -> list[float]:
    """Train both, print how many islands the generator reaches, and give the critic's loss of each step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1500, help="steps of the generator")
    parser.add_argument("--critic-steps", type=int, default=5, help="steps of the critic for each")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--penalty", type=float, default=0.1, help="weight of the gradient penalty")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)

    tc.manual_seed(args.seed)
    generator = perceptron(2, args.width, 2, nn.ReLU).to(args.device)
    critic = perceptron(2, args.width, 1, nn.Softplus).to(args.device)
    update_generator = tc.optim.Adam(generator.parameters(), lr=args.lr, betas=(0.5, 0.9))
    update_critic = tc.optim.Adam(critic.parameters(), lr=args.lr, betas=(0.5, 0.9))
    noise_for_test = tc.randn(1000, 2, device=args.device)

    losses: list[float] = []
    for step in range(1, args.steps + 1):
        for _ in range(args.critic_steps):
            real = real_points(args.batch_size, args.device)
            with tc.no_grad():
                made = generator(tc.randn(args.batch_size, 2, device=args.device))
            distance = critic(real).mean() - critic(made).mean()
            loss = args.penalty * gradient_penalty(critic, real, made) - distance
            update_critic.zero_grad()
            loss.backward()
            update_critic.step()
        losses.append(loss.item())

        critic.requires_grad_(False)
        update_generator.zero_grad()
        (-critic(generator(tc.randn(args.batch_size, 2, device=args.device))).mean()).backward()
        update_generator.step()
        critic.requires_grad_(True)

        if step % 100 == 0 or step == args.steps:
            with tc.no_grad():
                found, share = islands_found(generator(noise_for_test))
            print(f"step {step}/{args.steps}  distance {distance:.3f}  islands {found}/{ISLANDS}  on land {share:.0%}")
    return losses


if __name__ == "__main__":
    main()
