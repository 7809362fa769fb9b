"""A graph convolution network on a ring of cliques: sparse adjacency, spmm, masks, index_add, scatter means."""

import torch
import torch.nn as nn
import torch.nn.functional as F


def graph(cliques=4, size=5):
    edges = []
    for c in range(cliques):
        base = c * size
        edges += [(base + i, base + j) for i in range(size) for j in range(size) if i != j]
        edges.append((base, (base + size) % (cliques * size)))
        edges.append(((base + size) % (cliques * size), base))
    return torch.tensor(edges).t(), cliques * size


class GCN(nn.Module):
    def __init__(self, adjacency, features, classes):
        super().__init__()
        self.adjacency = adjacency
        self.first = nn.Linear(features, 16)
        self.second = nn.Linear(16, classes)

    def forward(self, x):
        x = F.relu(torch.spmm(self.adjacency, self.first(x)))
        return F.log_softmax(torch.sparse.mm(self.adjacency, self.second(x)), dim=1)


def main():
    torch.manual_seed(5)
    edges, nodes = graph()
    degree = torch.zeros(nodes).index_add_(0, edges[0], torch.ones(edges.size(1)))
    weights = (degree[edges[0]] * degree[edges[1]]).rsqrt()
    adjacency = torch.sparse_coo_tensor(edges, weights, (nodes, nodes)).coalesce()
    labels = torch.arange(nodes) // 5
    x = F.one_hot(labels, 4).float() + 0.5 * torch.randn(nodes, 4)
    mask = torch.zeros(nodes, dtype=torch.bool)
    mask[::5] = True
    model = GCN(adjacency, 4, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    losses = []
    for _ in range(15):
        optimizer.zero_grad()
        loss = F.nll_loss(model(x)[mask], labels[mask])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    out = model(x)
    means = torch.zeros(4, 4).scatter_reduce(0, labels.unsqueeze(1).expand(-1, 4), x, "mean", include_self=False)
    return {
        "losses": losses, "accuracy": (out.argmax(1) == labels).float().mean().item(), "nnz": adjacency._nnz(),
        "dense": adjacency.to_dense().sum().item(), "means": means.flatten().tolist(), "degree": degree.tolist(),
        "shown": str(torch.sparse_coo_tensor(torch.tensor([[0, 1], [1, 0]]), torch.tensor([1.0, 2.0]), (2, 2))),
    }  # fmt: skip
