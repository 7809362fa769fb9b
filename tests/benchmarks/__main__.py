"""Prints the tables; exit status 1 if a gate does not hold."""

from __future__ import annotations

import argparse
import json
import math
import platform
import statistics
import subprocess
import sys
import warnings
from collections.abc import Iterable
from typing import Any

from tests.benchmarks import autograd, loading, memory, training
from tests.benchmarks.cases import Case, cases
from tests.benchmarks.families import Family, families
from tests.benchmarks.measure import Row, compare

IMPORT_GATE = 0.2
#: Over all families and sizes PyTorch's time over ours is to be at least the first in the geometric mean, and of each
#: family at least the second.
ALL_FAMILIES, EACH_FAMILY = 1.0, 0.3


def import_seconds(rounds: int = 7) -> float:
    """Median seconds of ``import tensorcore`` in a fresh interpreter."""
    code = "import time; t = time.perf_counter(); import tensorcore; print(time.perf_counter() - t)"
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(rounds)
    ]
    return statistics.median(float(run.stdout) for run in runs)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds * 1e6:.2f} µs" if seconds < 1e-3 else f"{seconds * 1e3:.2f} ms"


def _peer() -> Any:
    try:
        import torch
    except ImportError:
        return None
    return torch


def _mean(ratios: list[float]) -> float:
    return math.exp(statistics.fmean(map(math.log, ratios)))


def _head(torch: Any, rounds: int) -> None:
    import tensorcore as tc

    peer = f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads" if torch else "PyTorch is not installed"
    print(f"tensorcore {tc.__version__} on Python {platform.python_version()}; {peer}; medians of {rounds} rounds\n")


def _table(chosen: Iterable[Case], only: str, rounds: int, quiet: bool) -> list[Row]:
    import tensorcore as tc

    torch = _peer()
    rows: list[Row] = []
    if not quiet:
        _head(torch, rounds)
        print(f"{'':40} {'tensorcore':>12} {'PyTorch':>12} {'ratio':>7}  gate")
    for case in chosen:
        if only not in case.name:
            continue
        row = compare(case.name, case.make(tc), case.make(torch) if torch else None, case.gate, rounds)
        rows.append(row)
        if not quiet:
            ratio = "–" if row.ratio is None else f"{row.ratio:.2f}"
            gate = "" if row.gate is None else f"≤ {row.gate}" + ("" if row.holds else "  MISSED")
            print(f"{row.name:40} {_time(row.ours):>12} {_time(row.peers):>12} {ratio:>7}  {gate}", flush=True)
    return rows


def _found(rows: list[Row]) -> dict[str, Any]:
    return {
        "holds": all(row.holds for row in rows),
        "rows": [
            {"name": r.name, "seconds": r.ours, "peer_seconds": r.peers, "ratio": r.ratio, "gate": r.gate} for r in rows
        ],
    }


def run_autograd(only: str, rounds: int, quiet: bool) -> dict[str, Any]:
    """Graphs of many small ops, forward and backward, one row each."""
    return _found(_table(autograd.cases(), only, rounds, quiet))


def run_loading(only: str, rounds: int, quiet: bool) -> dict[str, Any]:
    """Epochs of data loaders, one row each."""
    return _found(_table(loading.cases(), only, rounds, quiet))


def run_training(only: str, rounds: int, quiet: bool) -> dict[str, Any]:
    """Training steps and what feeds them, one row each, and the geometric mean of how many times as fast they are."""
    found = _found(_table(training.cases(), only, rounds, quiet))
    ratios = [row["ratio"] for row in found["rows"] if row["ratio"] is not None]
    if not ratios:
        return found
    speed = 1 / _mean(ratios)
    if not quiet:
        missed = "" if speed >= training.GATE else "  MISSED"
        print(f"\ngeometric mean of PyTorch's time over ours {speed:.2f} (at least {training.GATE}){missed}")
    return {**found, "holds": speed >= training.GATE, "speed": speed}


def run_memory(only: str, rounds: int, quiet: bool) -> dict[str, Any]:
    """Peak memory of training: medians of ``rounds`` fresh processes for each program and library."""
    libraries = ("tensorcore", "torch") if _peer() else ("tensorcore",)
    rows = []
    if not quiet:
        print(f"{'MiB of steps (and before them)':40} {'tensorcore':>14} {'PyTorch':>14} {'ratio':>7}  gate")
    for name in memory.PROGRAMS:
        if only not in name:
            continue
        runs = {each: [memory.in_fresh_process(each, name) for _ in range(rounds)] for each in libraries}
        found = {each: tuple(map(statistics.median, zip(*runs[each], strict=True))) for each in libraries}
        ratio = found["tensorcore"][1] / found["torch"][1] if "torch" in found else None
        rows.append({"name": name, "ratio": ratio, "gate": memory.GATE, "mebibytes": found})
        if not quiet:
            texts = [f"{more:.0f} ({before:.0f})" for before, more in found.values()] + ["–"] * (2 - len(found))
            shown = "–" if ratio is None else f"{ratio:.2f}"
            missed = "" if ratio is None or ratio <= memory.GATE else "  MISSED"
            print(f"{name:40} {texts[0]:>14} {texts[1]:>14} {shown:>7}  ≤ {memory.GATE}{missed}", flush=True)
    return {"holds": all(row["ratio"] is None or row["ratio"] <= memory.GATE for row in rows), "rows": rows}


def run_cases(only: str, rounds: int, quiet: bool) -> dict[str, Any]:
    """The cases with gates, and others of interest, one row each."""
    found = _found(_table(cases(), only, rounds, quiet))
    seconds = import_seconds()
    if not quiet:
        missed = "" if seconds < IMPORT_GATE else "  MISSED"
        print(f"{'import tensorcore':40} {_time(seconds):>12} {'':>12} {'':>7}  < {IMPORT_GATE} s{missed}")
    return {**found, "holds": found["holds"] and seconds < IMPORT_GATE, "import_seconds": seconds}


def _family(family: Family, torch: Any, rounds: int, quiet: bool) -> dict[str, Any]:
    import tensorcore as tc

    speeds: dict[int, float] = {}
    texts = []
    for size in family.sizes:
        with warnings.catch_warnings():
            # One element has no deviation, say; what is timed is the call.
            warnings.simplefilter("ignore")
            row = compare(family.name, family.setup(tc, size), family.setup(torch, size), None, rounds, 0.01)
        assert row.ratio is not None
        speeds[size] = 1 / row.ratio
        texts.append(f"{speeds[size]:5.2f} ({_time(row.ours)})")
    if not quiet:
        print(f"{family.name:34} {_mean(list(speeds.values())):5.2f}   {'  '.join(texts)}", flush=True)
    return {"name": family.name, "speed": _mean(list(speeds.values())), "sizes": speeds}


def run_families(only: str, rounds: int, quiet: bool) -> dict[str, Any]:
    """One op of each family at each size: how many times as fast as PyTorch."""
    torch = _peer()
    if torch is None:
        raise SystemExit("the families are measured beside PyTorch, which is not installed")
    if not quiet:
        _head(torch, rounds)
        print(f"{'PyTorch time / ours':34} {'mean':>5}   from one element to ten million (our time)")
    rows = [_family(family, torch, rounds, quiet) for family in families() if only in family.name]
    mean = _mean([speed for row in rows for speed in row["sizes"].values()])
    slow = [row["name"] for row in rows if row["speed"] < EACH_FAMILY]
    if not quiet:
        named = ", ".join(slow) or "none"
        print(f"\ngeometric mean {mean:.2f} (at least {ALL_FAMILIES}); below {EACH_FAMILY}: {named}")
        worst = sorted((speed, f"{row['name']}, {size}") for row in rows for size, speed in row["sizes"].items())
        print("slowest: " + "; ".join(f"{name} {speed:.2f}" for speed, name in worst[:10]))
    return {"holds": mean >= ALL_FAMILIES and not slow, "speed": mean, "families": rows}


def main() -> int:
    """Run the cases, or the families, and print one row each."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--families", action="store_true", help="one op of each family, from 1 to 10,000,000 elements")
    parser.add_argument("--autograd", action="store_true", help="long, wide and deep graphs of small ops")
    parser.add_argument("--loading", action="store_true", help="epochs of data loaders, with and without workers")
    parser.add_argument("--training", action="store_true", help="training steps of whole models, and data loaders")
    parser.add_argument("--memory", action="store_true", help="peak memory of training steps, each in a fresh process")
    parser.add_argument("--only", default="", help="run the rows whose name contains this")
    parser.add_argument("--rounds", type=int, help="rounds of each row (default 15; 5 for families)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    run, rounds = run_cases, 15
    if options.families:
        run, rounds = run_families, 5
    elif options.autograd:
        run = run_autograd
    elif options.training:
        run, rounds = run_training, 5
    elif options.loading:
        run, rounds = run_loading, 5
    elif options.memory:
        run, rounds = run_memory, 3
    found = run(options.only, options.rounds or rounds, options.json)
    if options.json:
        print(json.dumps(found, indent=2))
    return int(not found["holds"])


if __name__ == "__main__":
    sys.exit(main())
