# Everything works inside .venv of this clone; each target does all its own set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NATIVE := $(wildcard workbench/native/*.py workbench/native/cdef/* workbench/native/src/* workbench/native/src/*/* workbench/packaging/*.py)
SCRIPTS := $(wildcard workbench/ui/js/*.json workbench/ui/js/src/* workbench/ui/js/*.mjs workbench/ui/build_js.py)

.PHONY: help install samples demo lab docs wheels test timing fuzz bench lint format clean

help:
	@echo "make demo   build the sample, stream its log, prototype a rule (no browser)"
	@echo "make lab    open the notebooks in JupyterLab"
	@echo "make docs   build the documentation: docs/_build/html/index.html"
	@echo "make wheels build the source archive and the wheels of all platforms into dist"
	@echo "make test   run all tests"
	@echo "make timing run the tests with bounds in seconds, alone (on a quiet machine)"
	@echo "make fuzz   feed random input to all readers until stopped (FUZZ_SECONDS=60: each so long)"
	@echo "make bench  run all benchmarks; prints a table, writes bench-results.json"
	@echo "make lint   ruff and mypy"
	@echo "make clean  remove .venv and everything built"

$(STAMP): pyproject.toml $(NATIVE) $(SCRIPTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "The workbench needs Python 3.11 or newer: make PYTHON=python3.12 …" >&2; exit 1; }
	@command -v "$${CC:-cc}" >/dev/null || { echo "The workbench needs a C compiler, for example: apt-get install gcc" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[lab]" --group test --group browser
	touch $@

install: $(STAMP)

samples: $(STAMP)
	@$(MAKE) --no-print-directory -C sample_plugins c

demo: samples
	@$(BIN)/python -m workbench demo

lab: samples
	$(BIN)/python -m workbench lab

docs: $(STAMP)
	$(BIN)/python -m pip install --quiet --group docs
	$(BIN)/python -m sphinx --fail-on-warning --quiet docs docs/_build/html
	@echo "docs/_build/html/index.html"

# in an environment of its own: what builds has nothing to do with what is built
wheels:
	test -x .venv-release/bin/python || $(PYTHON) -m venv .venv-release
	.venv-release/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	.venv-release/bin/python -m pip install --quiet --group release
	.venv-release/bin/python workbench/packaging/wheels.py $(WHEELS)

test: samples
	$(BIN)/python -m pytest -n auto --dist loadfile $(PYTEST_ARGS)

timing: samples
	$(BIN)/python -m pytest -m timing $(PYTEST_ARGS)

fuzz: $(STAMP)
	@$(BIN)/python -m tests.fuzz $(FUZZ_ARGS)

bench: samples
	$(BIN)/python -m tests.bench $(BENCH_ARGS)

lint: $(STAMP)
	$(BIN)/python -m pip install --quiet --group lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/python -m pip install --quiet --group lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .venv-release build dist *.egg-info docs/_build docs/generated docs/notebooks workbench/native/_core.c workbench/native/*.so
	@if [ -f sample_plugins/Makefile ]; then $(MAKE) --no-print-directory -C sample_plugins clean; fi
