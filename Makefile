# The two commands: `make demo` runs the main job, `make test` passes the tests.
# Everything is set up inside this folder; the plain commands behind stand in README.md.
SHELL := /bin/bash
PY := .venv/bin/python
DATA ?= .interlock-demo

.PHONY: help setup setup-test demo test test-full lint fmt types laws bench clean

help:
	@printf '%s\n' 'make demo        run the main job on example contracts, leave it running (EXIT=1: end with 0 or not)' \
	  'make test        lint, types, laws, unit, integration and house tests' \
	  'make test-full   the same and the long proofs (corpus, crash series)' \
	  'make setup       virtual environment and tools only' \
	  'make bench       figures beside the peers' \
	  'make lint | fmt  check or mend the style' \
	  'make clean       remove everything that was set up'

setup:
	@scripts/setup.sh run

setup-test:
	@scripts/setup.sh test

demo: setup
	@.venv/bin/interlock demo --data $(DATA) $(if $(EXIT),--exit,)

lint: setup-test
	@$(PY) -m ruff check . && $(PY) -m ruff format --check .

types: setup-test
	@$(PY) -m mypy

laws: setup-test
	@.venv/bin/lint-imports --config importlinter.ini

test: lint types laws
	@$(PY) -m pytest -n 2 --dist loadfile -m 'not long and not corpus' $(ARGS)

test-full: lint types laws
	@$(PY) -m pytest -n 2 --dist loadfile $(ARGS)

fmt: setup-test
	@$(PY) -m ruff check --fix --exit-zero . && $(PY) -m ruff format .

bench:
	@scripts/setup.sh bench
	@$(PY) -m tests.bench

clean:
	@rm -rf .venv .tools .interlock .interlock-demo build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
