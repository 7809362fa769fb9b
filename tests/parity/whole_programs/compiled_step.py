"""A model and a training step, compiled."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)

    def forward(self, x):
        return x + self.down(F.silu(self.up(self.norm(x))))


def make():
    torch.manual_seed(11)
    return nn.Sequential(nn.Linear(6, 24), Residual(24), Residual(24), nn.Linear(24, 1))


@torch.compile
def standardise(x):
    centred = x - x.mean(0, keepdim=True)
    return centred / (centred.pow(2).mean(0, keepdim=True) + 1e-5).sqrt()


def fit(step_of, compiled):
    model = make()
    opt = torch.optim.SGD(model.parameters(), lr=0.05)
    net = torch.compile(model) if compiled else model
    g = torch.Generator().manual_seed(2)
    losses = []
    step = step_of(net, opt)
    for _ in range(12):
        x = standardise(torch.randn(32, 6, generator=g))
        y = (x[:, :1] * x[:, 1:2]).sin()
        losses.append(step(x, y).item())
    net.eval()
    with torch.no_grad():
        few = net(torch.ones(3, 6)).flatten().tolist()
    return losses, few, [n for n, _ in model.named_parameters()][:3]


def plain_step(net, opt):
    def step(x, y):
        opt.zero_grad()
        loss = F.mse_loss(net(x), y)
        loss.backward()
        opt.step()
        return loss

    return step


def compiled_step(net, opt):
    return torch.compile(plain_step(net, opt))


def main():
    eager = fit(plain_step, compiled=False)
    return {
        "eager": eager,
        "model": fit(plain_step, compiled=True),
        "step": fit(compiled_step, compiled=False),
    }
