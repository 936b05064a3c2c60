# make demo, make test: everything that a fresh machine needs is fetched on the way.
SHELL := /bin/bash
BIN := .venv/bin
DISTRIBUTIONS := core plugins/inmemory plugins/kafka sidecar invoker
PROJECTS := $(DISTRIBUTIONS:%=%/pyproject.toml) constraints.txt scripts/setup.sh
PYTHON_CODE := core plugins sidecar invoker tests examples benchmarks scripts
PROTOCOL := core/src/penstock/wire/protocol

.PHONY: help demo test check fix generate conformance bench clean

help: ## Say what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

demo: .venv/run.stamp ## A function averages numbers that are published to a stream
	@scripts/demo.sh

test: .venv/dev.stamp ## Run all tests
	@scripts/kafka.sh
	@scripts/kubernetes.sh
	@$(BIN)/python -m pytest $(PYTEST_ARGUMENTS)

check: .venv/dev.stamp ## Format, lint, types, import layers, generated files up to date
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(PYTHON_CODE)
	$(BIN)/lint-imports --no-logo
	$(BIN)/python scripts/generate_stubs.py --check
	$(BIN)/python -m penstock.resources.crd --check --output crds
	$(BIN)/python -m penstock.resources.reference --check --output docs/resources.md
	$(BIN)/python -m penstock.cli.reference --check --output docs/cli.md
	$(BIN)/python scripts/generate_metrics.py --check
	$(BIN)/python -m penstock.testing.overview --check --reports docs/conformance --output docs/conformance.md

fix: .venv/dev.stamp ## Reformat, and fix what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: .venv/dev.stamp ## Write the protobuf stubs, the CRDs and the CLI reference anew
	$(BIN)/python scripts/generate_stubs.py
	$(BIN)/python -m penstock.resources.crd --output crds
	$(BIN)/python -m penstock.resources.reference --output docs/resources.md
	$(BIN)/python -m penstock.cli.reference --output docs/cli.md
	$(BIN)/python scripts/generate_metrics.py

conformance: .venv/dev.stamp ## Hold every gateway to the conformance suite, and write what held
	@scripts/kafka.sh
	$(BIN)/python -m pytest plugins/*/tests/test_conformance.py --conformance-report docs/conformance
	$(BIN)/python -m penstock.testing.overview --reports docs/conformance --output docs/conformance.md

bench: .venv/dev.stamp ## Measure throughput, latency and size, as ratios within one run
	@scripts/kafka.sh
	@$(BIN)/python -m benchmarks

clean: ## Remove the virtual environment and everything that was built
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/run.stamp: $(PROJECTS)
	@scripts/setup.sh run $(DISTRIBUTIONS)

.venv/dev.stamp: $(PROJECTS) requirements-dev.txt
	@scripts/setup.sh dev $(DISTRIBUTIONS)
