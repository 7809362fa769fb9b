"""Regression by hand-written gradient descent, then with autograd, then with a module."""

import math

import torch


def polynomial():
    dtype = torch.float
    device = torch.device("cpu")
    x = torch.linspace(-math.pi, math.pi, 200, device=device, dtype=dtype)
    y = torch.sin(x)
    a = torch.randn((), device=device, dtype=dtype, requires_grad=True)
    b = torch.randn((), device=device, dtype=dtype, requires_grad=True)
    c = torch.randn((), device=device, dtype=dtype, requires_grad=True)
    learning_rate = 1e-4
    for t in range(100):
        y_pred = a + b * x + c * x**2
        loss = (y_pred - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            a -= learning_rate * a.grad
            b -= learning_rate * b.grad
            c -= learning_rate * c.grad
            a.grad = None
            b.grad = None
            c.grad = None
    return loss.item(), f"Result: y = {a.item():.3f} + {b.item():.3f} x + {c.item():.3f} x^2"


def by_hand(X, y, lr=0.03):
    w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
    b = torch.zeros(1, requires_grad=True)
    for epoch in range(3):
        indices = torch.randperm(len(X))
        for i in range(0, len(X), 50):
            batch = indices[i : min(i + 50, len(X))]
            y_hat = torch.matmul(X[batch], w) + b
            loss = (y_hat - y[batch].reshape(y_hat.shape)) ** 2 / 2
            loss.sum().backward()
            for param in (w, b):
                param.data -= lr * param.grad.data / len(batch)
                param.grad.zero_()
    return w, b


class Polynomial3(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.Parameter(torch.randn(()))
        self.d = torch.nn.Parameter(torch.ones(1) * 0.5)

    def forward(self, x):
        return self.a + self.d * x**3

    def string(self):
        return f"y = {self.a.item():.4f} + {self.d.item():.4f} x^3"


def main():
    torch.manual_seed(42)
    fit, text = polynomial()

    true_w, true_b = torch.tensor([2, -3.4]), 4.2
    X = torch.normal(0, 1, (500, 2))
    y = X @ true_w + true_b
    y += torch.normal(0, 0.01, y.shape)
    w, b = by_hand(X, y.reshape((-1, 1)))

    model = Polynomial3()
    criterion = torch.nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    xs = torch.arange(-1.0, 1.0, 0.1)
    for _ in range(50):
        loss = criterion(model(xs), torch.sin(xs))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    x = torch.arange(4.0, requires_grad=True)
    z = 2 * torch.dot(x, x)
    z.backward(retain_graph=True)
    first = x.grad.tolist()
    z.backward()
    (second,) = torch.autograd.grad((x**3).sum(), x)
    return {
        "fit": fit,
        "text": text,
        "w": w.detach().flatten().tolist(),
        "error": (true_w - w.reshape(true_w.shape)).abs().max().item(),
        "b": (true_b - b).item(),
        "model": model.string(),
        "loss": loss.item(),
        "first": first,
        "accumulated": x.grad.numpy().tolist(),
        "second": second.tolist(),
        "leaf": [w.is_leaf, z.is_leaf, w.requires_grad, x.grad.requires_grad, X.grad is None],
    }
