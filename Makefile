# Every target sets up what it needs in .venv; a second run installs nothing.
#
#   make quickstart    install, train the image classifier, predict, plot
#   make test          all tests
#   make lint          style, types, import contracts, generated files
#   make test-parity   the tests against PyTorch, and those of the devices torch, jax and mlx
#   make conformance   judge the devices; the reports and their page, in docs/conformance
#   make bench         speed beside PyTorch, in the same run
#   make docs          the documentation, in docs/_build/html
#   make clean         remove .venv and what the targets left

PYTHON ?= python3
JOBS ?= 2
DEVICES ?= cpu reference array_api_strict torch jax mlx
PYTORCH ?= torch==2.13.0

BIN := .venv/bin
PY := $(BIN)/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet

.DEFAULT_GOAL := help
.PHONY: help quickstart test lint test-parity conformance bench docs clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

help:
	@sed -n 's/^#   //p' Makefile

quickstart: .venv/quickstart.stamp
	$(BIN)/tensorcore quickstart

# One thread a test process: the processes share the cores.
test test-parity conformance: export OMP_NUM_THREADS = 1
test test-parity conformance: export OPENBLAS_NUM_THREADS = 1

test: .venv/dev.stamp
	$(PY) -m pytest -n $(JOBS) $(ARGS)

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PY) -m tensorcore.ops.stubs --check

test-parity: .venv/parity.stamp
	$(PY) -m pytest -n $(JOBS) tests/parity tests/conformance tests/backends/array_api $(ARGS)

# A device that fails does not keep the others from being judged; the target fails in the end. On jax each shape of each
# op is compiled: the quick level takes as long there as the full one elsewhere.
conformance: .venv/parity.stamp
	@for device in $(DEVICES); do \
	  if [ $$device = jax ]; then level=--quick; else level=--full; fi; \
	  $(BIN)/tensorcore conformance $$device $$level --jobs $(JOBS) --report docs/conformance/$$device > /dev/null \
	    || failed="$$failed $$device"; \
	done; \
	rm -f docs/conformance/*/junit.xml; \
	$(PY) docs/conformance_pages.py; \
	test -z "$$failed" || { echo "these devices fail:$$failed"; exit 1; }

bench: .venv/dev.stamp
	$(PY) -m tests.benchmarks $(ARGS)

docs: .venv/docs.stamp
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

clean:
	rm -rf .venv docs/_build dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks

# Stamps stand for an installed set of extras and age with pyproject.toml.

.venv/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or later is needed; \
	$(PYTHON) is {sys.version.split()[0]}: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/quickstart.stamp: .venv/python.stamp pyproject.toml
	$(PIP) --editable '.[cli,plot,vision]'
	@touch $@

.venv/dev.stamp: .venv/python.stamp pyproject.toml
	$(PIP) --editable '.[dev]'
	@touch $@

.venv/parity.stamp: .venv/dev.stamp
	$(PIP) '$(PYTORCH)' jax 'mlx[cpu]; sys_platform == "linux"' 'mlx; sys_platform == "darwin"'
	@touch $@

.venv/docs.stamp: .venv/python.stamp pyproject.toml
	$(PIP) --editable '.[docs,cli,plot,vision]'
	@touch $@
