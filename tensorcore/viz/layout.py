"""Layered layout of a directed acyclic graph: layers by longest paths, order by barycentres, positions by relaxation.

After Sugiyama, Tagawa and Toda, Methods for visual understanding of hierarchical system structures (1981). Arrows over
several layers bend at a point in each, which takes part in the ordering like a box.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

__all__ = ["Placed", "place"]

_GAP_X: Final = 26.0
_GAP_Y: Final = 34.0
#: Bends of arrows at most; the longest arrows beyond go straight.
_MOST_BENDS: Final = 5000
#: Sweeps of ordering, and of positioning.
_SWEEPS: Final = 12


@dataclass
class Placed:
    """Centres of the boxes, the points each arrow goes through, and the size of all."""

    centres: list[tuple[float, float]]
    paths: list[list[tuple[float, float]]]
    width: float
    height: float


def place(
    sizes: Sequence[tuple[float, float]], arrows: Sequence[tuple[int, int]], light: Collection[int] = ()
) -> Placed:
    """Where boxes of these (width, height) go, so that arrows go down and few cross.

    Others do not move towards ``light`` ones, which leaves chains straight with what they use at their side.
    """
    layer = _layers(len(sizes), arrows)
    widths = [width for width, _ in sizes]
    chains: list[list[int]] = []
    links: list[tuple[int, int]] = []
    spans = sorted((layer[end] - layer[start] for start, end in arrows))
    total, longest = 0, 1
    for span in spans:
        total += span - 1
        if total <= _MOST_BENDS:
            longest = span
    for start, end in arrows:
        if layer[end] - layer[start] > longest:
            chains.append([start, end])
            continue
        chain = [start]
        for between in range(layer[start] + 1, layer[end]):
            layer.append(between)
            widths.append(8.0)
            chain.append(len(layer) - 1)
        chain.append(end)
        chains.append(chain)
        links += pairwise(chain)
    above: list[list[int]] = [[] for _ in layer]
    below: list[list[int]] = [[] for _ in layer]
    for start, end in links:
        below[start].append(end)
        above[end].append(start)
    rows = _ordered(layer, above, below)
    pulls = [1.0 if i >= len(sizes) or i not in light else 0.02 for i in range(len(layer))]
    x = _positions(rows, widths, above, below, pulls, len(sizes))
    heights = [max((sizes[i][1] for i in row if i < len(sizes)), default=0.0) for row in rows]
    y: list[float] = []
    at = 0.0
    for height in heights:
        y.append(at + height / 2)
        at += height + _GAP_Y
    left = min((x[i] - widths[i] / 2 for i in range(len(widths))), default=0.0)
    x = [each - left for each in x]
    centres = [(x[i], y[layer[i]]) for i in range(len(sizes))]
    paths = []
    for chain in chains:
        inner = [(x[i], y[layer[i]]) for i in chain[1:-1]]
        start, end = chain[0], chain[-1]
        first = (x[start], y[layer[start]] + sizes[start][1] / 2)
        last = (x[end], y[layer[end]] - sizes[end][1] / 2)
        paths.append([first, *inner, last])
    width = max((x[i] + widths[i] / 2 for i in range(len(widths))), default=0.0)
    return Placed(centres, paths, width, max(at - _GAP_Y, 0.0))


def _layers(count: int, arrows: Sequence[tuple[int, int]]) -> list[int]:
    """The layer of each box: as far down as the longest path to it, then up to just above what it goes to.

    So parameters stand by the ops that use them, not all in the first row.
    """
    into: list[list[int]] = [[] for _ in range(count)]
    out: list[list[int]] = [[] for _ in range(count)]
    for start, end in arrows:
        into[end].append(start)
        out[start].append(end)
    missing = [len(each) for each in into]
    ready = [i for i in range(count) if not missing[i]]
    order, layer = [], [0] * count
    while ready:
        node = ready.pop()
        order.append(node)
        for end in out[node]:
            layer[end] = max(layer[end], layer[node] + 1)
            missing[end] -= 1
            if not missing[end]:
                ready.append(end)
    for node in reversed(order):
        if out[node] and not into[node]:
            layer[node] = min(layer[end] for end in out[node]) - 1
    return layer


def _ordered(layer: list[int], above: list[list[int]], below: list[list[int]]) -> list[list[int]]:
    """The boxes of each layer from left to right: each sweep sorts by the mean place of the neighbours."""
    rows: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    # In the order of a walk, which keeps what belongs together side by side.
    seen: set[int] = set()
    for root in sorted(range(len(layer)), key=lambda i: (-layer[i], i)):
        stack = [root]
        while stack:
            node = stack.pop()
            if node not in seen:
                seen.add(node)
                rows[layer[node]].append(node)
                stack.extend(reversed(above[node]))
    best, fewest = [list(row) for row in rows], _crossings(rows, below)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        for row in rows if down else rows[::-1]:
            spot = _spots(rows)
            keys = {i: sum(spot[n] for n in neighbours[i]) / len(neighbours[i]) for i in row if neighbours[i]}
            # What has no neighbours there keeps its place.
            row.sort(key=lambda i: keys.get(i, spot[i]))
        count = _crossings(rows, below)
        if count < fewest:
            best, fewest = [list(row) for row in rows], count
        if not fewest:
            break
    return best


def _spots(rows: list[list[int]]) -> dict[int, float]:
    return {i: (place + 0.5) / len(row) for row in rows for place, i in enumerate(row)}


def _crossings(rows: list[list[int]], below: list[list[int]]) -> int:
    """How many pairs of arrows between neighbouring layers cross, counted by a tree of sums."""
    total = 0
    for upper, lower in pairwise(rows):
        spot = {i: place for place, i in enumerate(lower)}
        ends = [s for i in upper for s in sorted(spot[n] for n in below[i])]
        tree = [0] * (len(lower) + 1)
        for seen, end in enumerate(ends):
            at, before = end + 1, 0
            while at:
                before += tree[at]
                at &= at - 1
            total += seen - before
            at = end + 1
            while at <= len(lower):
                tree[at] += 1
                at += at & -at
    return total


def _positions(
    rows: list[list[int]], widths: list[float], above: list[list[int]], below: list[list[int]], pulls: list[float],
    boxes: int,
) -> list[float]:  # fmt: skip
    """Horizontal centres: each towards the mean of its neighbours, as far as those beside it leave room."""
    x = [0.0] * len(widths)
    for row in rows:
        at = 0.0
        for i in row:
            x[i] = at + widths[i] / 2
            at += widths[i] + _GAP_X
        for i in row:
            x[i] -= at / 2
    for sweep in range(3 * _SWEEPS):
        down = sweep % 2 == 0
        last = sweep >= 3 * _SWEEPS - 2
        for row in rows if down else rows[::-1]:
            wanted = []
            for i in row:
                near = above[i] + below[i] if last else (above[i] if down else below[i])
                pull = sum(pulls[n] for n in near)
                # A bend follows its arrow more firmly, so that long arrows are straight.
                wanted.append((
                    sum(x[n] * pulls[n] for n in near) / pull if near else x[i], pulls[i] * (4.0 if i >= boxes else 1.0)
                ))  # fmt: skip
            _settle(row, wanted, widths, x)
    return x


def _settle(row: list[int], wanted: list[tuple[float, float]], widths: list[float], x: list[float]) -> None:
    """The places nearest to the wanted ones, in least squares, without overlap: blocks that touch move as one."""
    blocks: list[list[float]] = []
    members: list[int] = []
    offset = 0.0
    offsets = []
    for place, i in enumerate(row):
        if place:
            offset += (widths[row[place - 1]] + widths[i]) / 2 + _GAP_X
        offsets.append(offset)
        target, weight = wanted[place][0] - offset, wanted[place][1]
        blocks.append([target * weight, weight])
        members.append(1)
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            top, count = blocks.pop(), members.pop()
            blocks[-1][0] += top[0]
            blocks[-1][1] += top[1]
            members[-1] += count
    place = 0
    for (total, weight), count in zip(blocks, members, strict=True):
        for _ in range(count):
            x[row[place]] = total / weight + offsets[place]
            place += 1
