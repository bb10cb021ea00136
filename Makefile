PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-azure test full deep chaos perf perf-gate perf-gate-quick growth peers pictures lint lock clean

help:  ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup:  ## make .venv what requirements.lock says
	@sh scripts/setup.sh

demo: setup  ## the app on http://localhost:8501 with a model being trained, deployed and proven
	@exec $(PYTHON) -m core demo

demo-azure: setup  ## the same on an emulation of Azure Machine Learning
	@exec $(PYTHON) -m core azure demo

test: setup  ## every test: unit, contract, browser, quick performance
	@$(PYTHON) scripts/run_tests.py

full: setup  ## the longer tests too: every table, deeper checks
	@$(PYTHON) scripts/run_tests.py --full

deep: setup  ## the deploy gate at full depth, on a deployment made for it
	@$(PYTEST) -m full tests/gate/test_gate_job.py

chaos: setup  ## kill everything at random moments
	@$(PYTEST) -m chaos

perf: setup  ## time everything; perf/results/report.html plots this run beside the earlier ones
	@mkdir -p perf/results/history
	@at=$$(date -u +%Y%m%dT%H%M%SZ); commit=$$(git rev-parse --short HEAD 2>/dev/null || echo no-commit); \
	$(PYTEST) perf --benchmark-max-time=2 --benchmark-json=perf/results/history/$$at-$$commit.json; code=$$?; \
	$(PYTHON) -m perf.report; exit $$code

perf-gate: setup  ## has this branch become slower? 14 minutes at most
	@$(PYTHON) -m perf.gate

perf-gate-quick: setup  ## the same for the hot paths, 4 minutes; no verdict is a warning
	@$(PYTHON) -m perf.gate --quick || { code=$$?; [ $$code -eq 3 ] || exit $$code; \
	  echo 'Warning: no verdict on performance (exit 3): the machine is too noisy, or time was too short' >&2; }

growth: setup  ## how time grows with rows, columns, trees, runs and requests; 1 when faster than linearly
	@$(PYTHON) -m perf.growth

peers: setup  ## compare with other servers, then AutoML engines (hours), each in an environment of its own
	@$(PYTHON) -m perf.peers.run --publish
	@$(PYTHON) -m perf.peers.automl --publish

pictures: setup  ## make the README's pictures of the app anew, under 2 minutes
	@$(PYTHON) scripts/pictures.py

lint: setup  ## style and types
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check --quiet .
	@$(PYTHON) -m mypy

lock: setup  ## make requirements.lock from requirements.txt
	@$(PYTHON) -m uv pip compile --universal --python-version 3.11 --generate-hashes \
	  --excludes scripts/left_out.txt --output-file requirements.lock requirements.txt

clean:  ## remove .venv and every cache; the workspace stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
