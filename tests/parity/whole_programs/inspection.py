"""What people print while they look around."""

import copy
from collections import OrderedDict

import torch
import torch.nn as nn


class Mixer(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.ModuleList(
            [
                nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 32), nn.GELU(), nn.Dropout(0.0), nn.Linear(32, 16)),
                nn.Sequential(nn.GroupNorm(1, 5), nn.Identity(), nn.PReLU()),
            ]
        )
        self.heads = nn.ModuleDict({"cls": nn.Linear(16, 3), "reg": nn.Linear(16, 1)})
        self.scale = nn.Parameter(torch.ones(16))
        self.register_buffer("mean", torch.zeros(16))

    def forward(self, x):
        x = (x - self.mean) * self.scale
        for layer in self.encoder:
            x = x + layer(x)
        return {name: head(x[:, 0]) for name, head in self.heads.items()}


def main():
    torch.manual_seed(0)
    model = Mixer()
    stack = nn.Sequential(
        OrderedDict(
            [
                ("conv", nn.Conv2d(3, 8, kernel_size=(3, 5), stride=2, padding=1, groups=1)),
                ("norm", nn.BatchNorm2d(8)),
                ("act", nn.LeakyReLU(0.1)),
                ("pool", nn.MaxPool2d(2)),
                ("drop", nn.Dropout(p=0.25)),
                ("flat", nn.Flatten()),
                ("head", nn.Linear(96, 4)),
            ]
        )
    )
    stack.eval()
    out = stack(torch.randn(2, 3, 16, 16))
    x = torch.randn(2, 5, 16)
    heads = model(x)
    loss = heads["cls"].logsumexp(1).mean() + heads["reg"].abs().mean()
    loss.backward()
    big = torch.arange(2000.0).reshape(40, 50)
    twin = copy.deepcopy(model)
    for p in twin.parameters():
        p.data.mul_(2)
    text = [
        str(model),
        str(stack),
        repr(model.scale),
        str(torch.tensor([1.0, 2.5, float("nan"), float("inf")])),
        str(torch.tensor([1e-8, 1.0, 1e8])),
        str(torch.eye(3, dtype=torch.int64)),
        str(torch.rand(2, 3, dtype=torch.float64)),
        str(torch.tensor([True, False])),
        str(torch.tensor(3.14159)),
        str(torch.zeros(0, 3)),
        str(big),
        str(torch.tensor([1 + 2j, -0.5j])),
        str(torch.ones(2, requires_grad=True)),
        str(torch.ones(2, requires_grad=True) * 2),
        str(torch.ones(2, dtype=torch.half)),
        str(x.shape),
        str(x.dtype),
        str(x.device),
        f"{loss:.4f} {loss.item():8.3f} {torch.tensor(7)} {torch.tensor(7):03d}",
        str(torch.randn(2, 2).max(dim=1)),
        str(nn.CrossEntropyLoss()),
        str(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)),
        str(list(dict(model.named_children()))),
        "\n".join(f"{n:50s} {tuple(p.shape)!s:10s} {p.requires_grad}" for n, p in model.named_parameters()),
        str([n for n, m in model.named_modules() if isinstance(m, nn.Linear)]),
        str(torch.zeros(2, 3).type()),
        str(x.is_contiguous()) + str(x.t if False else x.stride()) + str(x.element_size() * x.nelement()),
    ]
    torch.set_printoptions(precision=2, sci_mode=False)
    text.append(str(torch.tensor([0.12345, 1e-5, 123.456])))
    torch.set_printoptions(profile="default")
    return {
        "text": text,
        "out": out.tolist(),
        "loss": loss.item(),
        "count": [
            sum(p.numel() for p in model.parameters()),
            sum(p.numel() for p in model.parameters() if p.requires_grad),
            sum(p.grad.abs().sum().item() for p in model.parameters()),
            sum(p.sum().item() for p in twin.parameters()),
        ],
        "keys": list(model.state_dict().keys()),
        "stats": [big.mean().item(), big.std().item(), big.median().item(), big[3, 4].item(), big.T[0, 1].item()],
    }
