"""Who went with whom: a graph attention network on Zachary's karate club.

34 members, 78 friendships, and a quarrel after which each sided with the instructor or with the president. Only these
two are labelled; the network tells the sides of the others from the friendships alone. Messages pass along edges,
weighted by attention among those that reach the same member (Veličković et al., arXiv:1710.10903).

Source of the graph: Zachary, An information flow model for conflict and fission in small groups, 1977.

    python graph_attention.py --steps 200
"""

from __future__ import annotations

import argparse

import tensorcore as tc
import tensorcore.nn.functional as F
from tensorcore import nn

#: The friends of each member that have a higher number; member 0 is the instructor, member 33 the president.
FRIENDS = {
    0: [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 17, 19, 21, 31],
    1: [2, 3, 7, 13, 17, 19, 21, 30],
    2: [3, 7, 8, 9, 13, 27, 28, 32],
    3: [7, 12, 13],
    4: [6, 10], 5: [6, 10, 16], 6: [16],
    8: [30, 32, 33], 9: [33], 13: [33], 14: [32, 33], 15: [32, 33], 18: [32, 33], 19: [33], 20: [32, 33], 22: [32, 33],
    23: [25, 27, 29, 32, 33], 24: [25, 27, 31], 25: [31], 26: [29, 33], 27: [33], 28: [31, 33], 29: [32, 33],
    30: [32, 33], 31: [32, 33], 32: [33],
}  # fmt: skip
MEMBERS, INSTRUCTOR, PRESIDENT = 34, 0, 33
WITH_INSTRUCTOR = {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 16, 17, 19, 21}


def edges() -> tc.Tensor:
    """Where messages go from and to, (2, edges): both ways along friendships, and from each member to itself."""
    pairs = [(a, b) for a, friends in FRIENDS.items() for b in friends]
    return tc.tensor([*pairs, *((b, a) for a, b in pairs), *((a, a) for a in range(MEMBERS))]).t()


class GraphAttention(nn.Module):
    """Features (nodes, inputs) to (nodes, heads * outputs)."""

    def __init__(self, inputs: int, outputs: int, heads: int) -> None:
        super().__init__()
        self.shape = (heads, outputs)
        self.transform = nn.Linear(inputs, heads * outputs, bias=False)
        self.source = nn.Parameter(tc.empty(heads, outputs))
        self.target = nn.Parameter(tc.empty(heads, outputs))
        self.bias = nn.Parameter(tc.zeros(heads * outputs))
        for weight in (self.transform.weight, self.source, self.target):
            nn.init.xavier_uniform_(weight)

    def forward(self, x: tc.Tensor, edge_index: tc.Tensor) -> tc.Tensor:
        source, target = edge_index
        h = self.transform(x).view(-1, *self.shape)
        scores = (h * self.source).sum(-1)[source] + (h * self.target).sum(-1)[target]
        scores = F.leaky_relu(scores, 0.2)
        weights = softmax_by(target, scores, len(x))
        messages = h[source] * weights.unsqueeze(-1)
        return h.new_zeros(h.shape).index_add(0, target, messages).flatten(1) + self.bias


def softmax_by(groups: tc.Tensor, scores: tc.Tensor, count: int) -> tc.Tensor:
    """Softmax of the scores (edges, heads) within each of ``count`` groups."""
    index = groups.unsqueeze(1).expand_as(scores)
    largest = scores.new_zeros(count, scores.size(1)).scatter_reduce(0, index, scores, "amax", include_self=False)
    grown = (scores - largest[groups].detach()).exp()
    return grown / scores.new_zeros(count, scores.size(1)).scatter_add(0, index, grown)[groups]


class Network(nn.Module):
    """Two layers of attention."""

    def __init__(self, inputs: int, width: int, heads: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.first = GraphAttention(inputs, width, heads)
        self.second = GraphAttention(width * heads, classes, 1)

    def forward(self, x: tc.Tensor, edge_index: tc.Tensor) -> tc.Tensor:
        hidden = F.elu(self.first(self.drop(x), edge_index))
        return self.second(self.drop(hidden), edge_index)


def main(arguments: list[str] | None = None) -> list[float]:
    """Train on two members, judge by all, and give the loss of each step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--dropout", type=float, default=0.5)
    parser.add_argument("--lr", type=float, default=5e-3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)

    tc.manual_seed(args.seed)
    edge_index = edges().to(args.device)
    features = tc.eye(MEMBERS, device=args.device)
    sides = tc.tensor([int(member not in WITH_INSTRUCTOR) for member in range(MEMBERS)], device=args.device)
    labelled = tc.tensor([INSTRUCTOR, PRESIDENT], device=args.device)
    model = Network(MEMBERS, args.width, args.heads, 2, args.dropout).to(args.device)
    optimizer = tc.optim.Adam(model.parameters(), lr=args.lr, weight_decay=5e-4)

    losses: list[float] = []
    for step in range(1, args.steps + 1):
        logits = model(features, edge_index)
        loss = F.cross_entropy(logits[labelled], sides[labelled])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if step % 20 == 0 or step == args.steps:
            print(f"step {step}/{args.steps}  loss {losses[-1]:.4f}")

    model.eval()
    with tc.no_grad():
        guesses = model(features, edge_index).argmax(1)
    for side, leader in enumerate(("instructor", "president")):
        print(f"with the {leader}:", *(guesses == side).nonzero().flatten().tolist())
    print(f"{int((guesses == sides).sum())} of {MEMBERS} members are where they went")
    return losses


if __name__ == "__main__":
    main()
