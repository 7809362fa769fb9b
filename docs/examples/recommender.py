"""Recommend films: embeddings of people and films, bags of genres, and probabilities that mean what they say.

Who likes what is generated from tastes that the model does not see. Its score is the product of a person's vector with
that of a film and of the film's genres, of which there are one to three: an `EmbeddingBag` adds them up. The tables are
sparse, so a step touches the rows of its batch alone. L-BFGS then fits slope and offset of the scores on ratings held
out (Platt's scaling), after which "70 % likely" is right about 70 times in 100.

    python recommender.py --epochs 5
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from itertools import islice

import tensorcore as tc
import tensorcore.nn.functional as F
from tensorcore import nn
from tensorcore.utils.data import DataLoader, TensorDataset, random_split

GENRES = 12


@dataclass
class Films:
    """The genres of all films one after another, and where each film's begin."""

    genres: tc.Tensor
    offsets: tc.Tensor

    def of(self, films: tc.Tensor) -> tuple[tc.Tensor, tc.Tensor]:
        """Genres and offsets of some films."""
        ends = tc.cat([self.offsets[1:], tc.tensor([len(self.genres)])])
        bags = [self.genres[self.offsets[film] : ends[film]] for film in films.tolist()]
        lengths = tc.tensor([len(bag) for bag in bags])
        return tc.cat(bags), lengths.cumsum(0) - lengths


def generate(people: int, films: int, ratings: int) -> tuple[Films, TensorDataset]:
    """Films with one to three genres, and who liked (1) or did not like (0) what."""
    counts = tc.randint(1, 4, (films,))
    catalogue = Films(tc.cat([tc.randperm(GENRES)[:count] for count in counts.tolist()]), counts.cumsum(0) - counts)
    tastes, qualities = tc.randn(people, GENRES), 0.5 * tc.randn(films)
    membership = tc.zeros(films, GENRES)
    membership[tc.arange(films).repeat_interleave(counts), catalogue.genres] = 1.0
    who, what = tc.randint(people, (ratings,)), tc.randint(films, (ratings,))
    score = 1.5 * (tastes[who] * membership[what]).sum(1) / membership[what].sum(1).sqrt() + qualities[what]
    return catalogue, TensorDataset(who, what, tc.bernoulli(tc.sigmoid(score)))


class Recommender(nn.Module):
    """People and films, both (N,), to scores (N,): the higher, the likelier one likes the other."""

    def __init__(self, people: int, catalogue: Films, width: int) -> None:
        super().__init__()
        self.catalogue = catalogue
        films = len(catalogue.offsets)
        self.people, self.films = nn.Embedding(people, width, sparse=True), nn.Embedding(films, width, sparse=True)
        self.genres = nn.EmbeddingBag(GENRES, width, mode="mean", sparse=True)
        self.liking = nn.Embedding(films, 1, sparse=True)
        for table in (self.people, self.films, self.genres):
            nn.init.normal_(table.weight, std=0.2)
        nn.init.zeros_(self.liking.weight)

    def forward(self, people: tc.Tensor, films: tc.Tensor) -> tc.Tensor:
        described = self.films(films) + self.genres(*self.catalogue.of(films))
        return (self.people(people) * described).sum(1) + self.liking(films).squeeze(1)


def calibrate(scores: tc.Tensor, liked: tc.Tensor) -> tuple[float, float]:
    """Slope and offset with which the scores predict best; a convex problem, for which L-BFGS takes a few steps."""
    slope, offset = tc.ones((), requires_grad=True), tc.zeros((), requires_grad=True)
    optimizer = tc.optim.LBFGS([slope, offset], max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> tc.Tensor:
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(slope * scores + offset, liked)
        loss.backward()
        return loss

    optimizer.step(closure)
    return slope.item(), offset.item()


def area_under_curve(scores: tc.Tensor, liked: tc.Tensor) -> float:
    """How often a film that was liked has a higher score than one that was not."""
    ranks = tc.empty_like(scores).scatter_(0, scores.argsort(), tc.arange(1.0, len(scores) + 1))
    positive = liked.sum()
    return ((ranks[liked == 1].sum() - positive * (positive + 1) / 2) / (positive * (len(liked) - positive))).item()


def calibration_error(probability: tc.Tensor, liked: tc.Tensor, bins: int = 10) -> float:
    """Mean distance between what was predicted and what happened, over bins of predictions."""
    places = tc.bucketize(probability, tc.linspace(0, 1, bins + 1)[1:-1])
    gaps = tc.zeros(bins).index_add_(0, places, probability - liked)
    return (gaps.abs().sum() / len(liked)).item()


def main(arguments: list[str] | None = None) -> list[float]:
    """Train, calibrate, print how good it is before and after, and give the loss of each step."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--films", type=int, default=200)
    parser.add_argument("--ratings", type=int, default=40_000)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--steps", type=int, help="at most so many steps an epoch")
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)

    tc.manual_seed(args.seed)
    catalogue, ratings = generate(args.people, args.films, args.ratings)
    training, held_out, test = random_split(ratings, [0.8, 0.1, 0.1])
    loader = DataLoader(training, batch_size=args.batch_size, shuffle=True)
    steps = min(len(loader), args.steps or len(loader))
    model = Recommender(args.people, catalogue, args.width)
    optimizer = tc.optim.SparseAdam(list(model.parameters()), lr=args.lr)

    losses: list[float] = []
    for epoch in range(1, args.epochs + 1):
        for people, films, liked in islice(loader, steps):
            loss = F.binary_cross_entropy_with_logits(model(people, films), liked)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch}/{args.epochs}  loss {sum(losses[-steps:]) / steps:.4f}")

    with tc.no_grad():
        (scores, liked), (others, liked_too) = [
            (model(people, films), liked) for people, films, liked in (ratings[held_out.indices], ratings[test.indices])
        ]
    slope, offset = calibrate(scores, liked)
    print(f"liked ones rank higher in {area_under_curve(others, liked_too):.1%} of pairs")
    before = calibration_error(others.sigmoid(), liked_too)
    after = calibration_error((slope * others + offset).sigmoid(), liked_too)
    print(f"slope {slope:.2f}, offset {offset:.2f}: predictions are off by {after:.1%}, before by {before:.1%}")
    return losses


if __name__ == "__main__":
    main()
