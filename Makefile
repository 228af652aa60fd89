# duograd's commands. `make` prints them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help venv run test test-all notebooks check fmt bench smoke clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(READY) ## create the environment in .venv, with exact pins

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

run: $(READY) ## the main job: learn features of natural images, from embedded data (a few minutes)
	$(BIN)/duograd task=autoencoder

# loadfile: tests that look at one run, made once for their module, stay on one worker.
test: $(READY) ## lint, types and the test suite
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadfile

test-all: $(READY) ## the whole suite, slow proofs included
	$(BIN)/pytest -n 2 --dist loadfile -m "slow or not slow"

notebooks: $(READY) ## the notebooks of examples/, from their first cell to their last
	$(BIN)/pytest -n 2 -m "slow or not slow" tests/test_notebooks.py

check: $(READY) ## lint and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fmt: $(READY) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## speed and memory, as ratios inside one run
	env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE $(BIN)/python -m benchmarks

smoke: $(READY) ## every code path of a run in seconds, both backends
	$(BIN)/duograd task=autoencoder preset=smoke backend=numpy tracking=none
	$(BIN)/duograd task=autoencoder preset=smoke backend=torch
	$(BIN)/duograd task=activity preset=smoke backend=numpy tracking=none
	$(BIN)/duograd task=activity preset=smoke backend=torch
	$(BIN)/duograd task=cnn preset=smoke backend=numpy tracking=none
	$(BIN)/duograd task=cnn model=challenge preset=smoke backend=torch

clean: ## remove the environment and caches; outputs/ stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info
