"""Linear algebra as people use it: least squares, PCA by svd, Gaussian process by Cholesky, Newton by hessians, sorting."""

import torch
from torch.utils.checkpoint import checkpoint


def main():
    torch.manual_seed(4)
    x = torch.randn(60, 5, dtype=torch.float64)
    true = torch.tensor([1.0, -2.0, 0.5, 3.0, 0.0], dtype=torch.float64)
    y = x @ true + 0.01 * torch.randn(60, dtype=torch.float64)
    fit = torch.linalg.lstsq(x, y.unsqueeze(1)).solution.squeeze(1)
    normal = torch.linalg.solve(x.T @ x, x.T @ y)
    u, s, vh = torch.linalg.svd(x - x.mean(0), full_matrices=False)
    explained = (s**2 / (s**2).sum()).cumsum(0)
    points = torch.linspace(0, 1, 20, dtype=torch.float64).unsqueeze(1)
    scale = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)

    def evidence(scale):
        kernel = torch.exp(-0.5 * torch.cdist(points, points).square() / scale**2) + 0.01 * torch.eye(20).double()
        factor = torch.linalg.cholesky(kernel)
        target = torch.sin(6 * points)
        alpha = torch.cholesky_solve(target, factor)
        return -0.5 * (target * alpha).sum() - factor.diagonal().log().sum()

    value = checkpoint(evidence, scale, use_reentrant=False)
    value.backward()
    a = torch.tensor([[4.0, 1.0], [1.0, 3.0]])
    values, vectors = torch.linalg.eigh(a)
    q, r = torch.linalg.qr(torch.arange(6.0).reshape(3, 2) + torch.eye(3, 2))
    at = torch.tensor([-1.2, 1.0], requires_grad=True)
    for _ in range(5):
        rosenbrock = (1 - at[0]) ** 2 + 100 * (at[1] - at[0] ** 2) ** 2
        (slope,) = torch.autograd.grad(rosenbrock, at, create_graph=True)
        rows = [torch.autograd.grad(slope[i], at, retain_graph=True)[0] for i in range(2)]
        at = (at - torch.linalg.solve(torch.stack(rows), slope)).detach().requires_grad_()
    sample = torch.tensor([3.0, 1.0, 2.0, 3.0, 1.0])
    unique, inverse, counts = sample.unique(return_inverse=True, return_counts=True)
    return {
        "fit": fit.tolist(), "normal": normal.tolist(), "explained": explained.tolist(), "evidence": value.item(),
        "slope": scale.grad.item(), "eigenvalues": values.tolist(), "rebuilt": (vectors * values @ vectors.mT).flatten().tolist(),
        "r": r.abs().flatten().tolist(), "newton": at.tolist(), "det": torch.linalg.det(a).item(),
        "exp": torch.linalg.matrix_exp(a * 0.1).flatten().tolist(), "norms": [torch.linalg.norm(a, p).item() for p in ("fro", "nuc", 1, 2)],
        "unique": unique.tolist(), "inverse": inverse.tolist(), "counts": counts.tolist(),
        "quantiles": torch.quantile(sample, torch.tensor([0.25, 0.5, 0.9])).tolist(), "mode": sample.mode().values.item(),
        "buckets": torch.bucketize(sample, torch.tensor([1.5, 2.5])).tolist(), "histogram": torch.histc(sample, 3).tolist(),
        "cummax": torch.cummax(sample, 0).indices.tolist(), "einsum": torch.einsum("ij,kj->", a, a).item(),
    }  # fmt: skip
