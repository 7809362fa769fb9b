"""Prints the table; exit status 1 if a gate does not hold."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
from typing import Any

from tests.benchmarks.cases import cases
from tests.benchmarks.measure import Row, compare

IMPORT_GATE = 0.2


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


def main() -> int:
    """Run the cases and print one row each."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help="run the cases whose name contains this")
    parser.add_argument("--rounds", type=int, default=15, help="rounds of each case (default 15)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args()
    import tensorcore as tc

    torch = _peer()
    rows: list[Row] = []
    if not options.json:
        peer = (
            f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads" if torch else "PyTorch is not installed"
        )
        print(
            f"tensorcore {tc.__version__} on Python {platform.python_version()}; {peer}; medians of "
            f"{options.rounds} rounds\n"
        )
        print(f"{'':40} {'tensorcore':>12} {'PyTorch':>12} {'ratio':>7}  gate")
    for case in cases():
        if options.only not in case.name:
            continue
        peers = case.make(torch) if torch else None
        row = compare(case.name, case.make(tc), peers, case.gate, options.rounds)
        rows.append(row)
        if not options.json:
            ratio = "–" if row.ratio is None else f"{row.ratio:.2f}"
            gate = "" if row.gate is None else f"≤ {row.gate}" + ("" if row.holds else "  MISSED")
            print(f"{row.name:40} {_time(row.ours):>12} {_time(row.peers):>12} {ratio:>7}  {gate}", flush=True)
    seconds = import_seconds()
    if options.json:
        print(json.dumps({"import_seconds": seconds, "rows": [
            {"name": r.name, "seconds": r.ours, "peer_seconds": r.peers, "ratio": r.ratio, "gate": r.gate} for r in rows
        ]}, indent=2))  # fmt: skip
    else:
        missed = "" if seconds < IMPORT_GATE else "  MISSED"
        print(f"{'import tensorcore':40} {_time(seconds):>12} {'':>12} {'':>7}  < {IMPORT_GATE} s{missed}")
    return int(seconds >= IMPORT_GATE or not all(row.holds for row in rows))


if __name__ == "__main__":
    sys.exit(main())
