# One command each; every one of them sets up what it needs first. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test app check format test-browser trust bench clean

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null && { echo $$p; break; }; done)
BIN := .venv/bin
TYPED := assistant ingest.py app.py

help:  ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup:  ## make .venv with everything that was tested (the second time: under a second)
	@$(or $(PYTHON),python3) scripts/setup.py

demo: setup  ## set up, then do the main job once and end: cited answers and a gap report in out/demo/
	@$(BIN)/python -m assistant demo

test: setup  ## set up, then run the tests; says how many were skipped and why
	@$(BIN)/python -m pytest -rs

app: setup  ## open the app on 127.0.0.1:7860
	@$(BIN)/python app.py

check: setup  ## what CI runs: format, lint, types, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict $(TYPED)
	$(BIN)/python -m pytest -rs

format: setup  ## put the code into the house's form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test-browser: setup  ## the tests that click through the app in Chromium
	@$(BIN)/python scripts/browser.py

trust: setup  ## kills, damage, hostile files, backups, egress in full (about half an hour); results go to out/trust.json
	@$(BIN)/python scripts/trust.py

bench: setup  ## measure speed and quality; results go to benchmarks/
	@$(BIN)/python benchmarks/run.py

clean:  ## remove everything that was made here, .venv included
	rm -rf .venv build dist out *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
