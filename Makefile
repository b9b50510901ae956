# Everything one does with this repository. `make run` and `make test` work on a fresh clone; see README.md.

UV := ./scripts/uv
BIN := .venv/bin
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup run run-once test check format lint types layers bench docs

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready ## make .venv with the `opencode` command in it

.venv/.ready: pyproject.toml uv.lock scripts/uv
	$(UV) sync --quiet --frozen
	@touch $@

node_modules := tests/sdk/node_modules/.package-lock.json

$(node_modules): tests/sdk/package-lock.json
	cd tests/sdk && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

run: setup ## start the server in a scratch project, run one prompt, leave the server running
	@$(BIN)/python scripts/demo.py

run-once: setup ## the same, then stop
	@$(BIN)/python scripts/demo.py --once

test: setup $(node_modules) ## all tests
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

check: setup format-check lint types layers test ## the whole gate

format: setup ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: format-check
format-check: setup
	$(BIN)/ruff format --check .

lint: setup
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

layers: setup
	$(BIN)/lint-imports

bench: setup ## measure the server's parts; run it on a quiet machine
	@for file in bench/*.py; do echo "== $$file"; $(BIN)/python $$file; done

docs: setup ## bring the generated pages of docs/ up to date
	$(BIN)/python -m opencode.http.endpoints_page docs/endpoints.md
	$(BIN)/python -m opencode.config.manual docs/configuration.md
