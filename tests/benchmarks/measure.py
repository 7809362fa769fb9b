"""Timing of two ways to do one thing, in turn, so that a drift of the machine's speed hits both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """One measured case.

    Attributes:
        name: what was timed.
        ours: median seconds of one call.
        peers: median seconds of one call; ``None`` where the peer is absent.
        ratio: median over the rounds of ours / the peer's in the same round.
        gate: the largest ratio allowed, if there is a gate.
    """

    name: str
    ours: float
    peers: float | None
    ratio: float | None
    gate: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the gate holds, or there is nothing to hold."""
        return self.gate is None or self.ratio is None or self.ratio <= self.gate


def _calls_for(function: Callable[[], Any], seconds: float) -> int:
    calls = 1
    while True:
        taken = _time(function, calls)
        if taken > seconds / 4:
            return max(1, int(calls * seconds / taken))
        calls *= 4


def _time(function: Callable[[], Any], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        function()
    return time.perf_counter() - start


def _settled(function: Callable[[], Any], calls: int) -> float:
    """Seconds of ``calls`` calls once the other library's threads sleep: for some 30 ms they spin, taking a core."""
    time.sleep(0.05)
    function()
    return _time(function, calls)


def compare(
    name: str,
    ours: Callable[[], Any],
    peers: Callable[[], Any] | None,
    gate: float | None = None,
    rounds: int = 15,
    seconds: float = 0.03,
) -> Row:
    """Time both in turn for ``rounds`` rounds of about ``seconds`` each; medians of each and of the ratios."""
    ours(), peers and peers()
    calls = _calls_for(ours, seconds)
    if peers is None:
        return Row(name, statistics.median(_time(ours, calls) / calls for _ in range(rounds)), None, None, gate)
    peer_calls = _calls_for(peers, seconds)
    mine, theirs = [], []
    for _ in range(rounds):
        mine.append(_settled(ours, calls) / calls)
        theirs.append(_settled(peers, peer_calls) / peer_calls)
    ratio = statistics.median(a / b for a, b in zip(mine, theirs, strict=True))
    return Row(name, statistics.median(mine), statistics.median(theirs), ratio, gate)
