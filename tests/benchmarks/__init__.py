"""Speed beside PyTorch, in one run: ``python -m tests.benchmarks``."""
