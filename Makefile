# Two commands: `make demo` and `make test`. Both create .venv on first use and work offline afterwards.

VENV ?= .venv
BIN := $(VENV)/bin
# The first interpreter that is new enough; choose another with `make PYTHON=...`.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help demo test test-full lint check bench tutorials tutorials-check clean

help:
	@echo "make demo       the same network on minijax and on JAX, side by side (about two minutes)"
	@echo "make test       all checks"
	@echo "make test-full  the checks at full depth"
	@echo "make check      minijax held against JAX, function by function; make check CHECK_ARGS=--quick takes a minute"
	@echo "make bench      minijax's speed as ratios to JAX, autograd and numpy"
	@echo "make tutorials  open the tutorials in JupyterLab"
	@echo "make tutorials-check  run every chapter in full, on minijax and on JAX, with its exercises"
	@echo "make clean      remove the environment and caches (runs/ stays)"

demo: $(VENV)/installed-reference
	$(BIN)/python -m reference compare mlp

# The tests run side by side already; more threads inside NumPy would only get in each other's way.
test test-full: export OPENBLAS_NUM_THREADS = 1

test: lint
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal

test-full: lint
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal --hypothesis-profile full -m "full or not full"

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .

check: export OPENBLAS_NUM_THREADS = 1
check: $(VENV)/installed-reference
	$(BIN)/python -m reference check $(CHECK_ARGS)

bench: $(VENV)/installed-bench
	$(BIN)/python -m reference bench $(BENCH_ARGS)

# From the top folder, so that links into the engine's files open. LAB_ARGS is for more: make tutorials LAB_ARGS=--no-browser
tutorials: $(VENV)/installed-tutorials
	$(BIN)/jupyter lab --ServerApp.root_dir="$(CURDIR)" --LabApp.app_settings_dir="$(CURDIR)/tutorials/.jupyterlab" \
		--LabApp.default_url=/lab/tree/tutorials/README.md $(LAB_ARGS)

# One after the other, so that the times it prints are what a reader waits for.
tutorials-check: $(VENV)/installed-dev
	$(BIN)/python -m pytest -q -m full tests/test_tutorials.py

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/created:
	@test -n "$(PYTHON)" || { echo "minijax needs Python 3.11 or newer and none was found on PATH." \
		"Install one, or name it: make $(firstword $(MAKECMDGOALS)) PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "minijax needs Python 3.11 or newer; $(PYTHON) is not."; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	@touch $@

# One stamp for each extra, so that pip runs only when pyproject.toml has changed.
$(VENV)/installed-reference: pyproject.toml $(VENV)/created
	$(PIP_INSTALL) --editable ".[reference]"
	@touch $@

$(VENV)/installed-bench: pyproject.toml $(VENV)/created
	$(PIP_INSTALL) --editable ".[reference,bench]"
	@touch $@ $(VENV)/installed-reference

$(VENV)/installed-tutorials: pyproject.toml $(VENV)/created
	$(PIP_INSTALL) --editable ".[tutorials]"
	@touch $@ $(VENV)/installed-reference

$(VENV)/installed-dev: pyproject.toml $(VENV)/created
	$(PIP_INSTALL) --editable ".[dev]"
	@touch $@ $(VENV)/installed-reference $(VENV)/installed-bench
