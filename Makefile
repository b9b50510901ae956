# Everything one does with this repository. `make run` and `make test` work on a fresh clone; see README.md.

UV := ./scripts/uv
BIN := .venv/bin
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup run run-once test check format lint types layers bench docs crash crash-long streams-long soak official-clients

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

.PHONY: update-traces
update-traces: setup ## rewrite the golden traces of tests/trace; review the diff
	UPDATE_TRACES=1 $(BIN)/pytest -n $(WORKERS) tests/trace

.PHONY: mutants
mutants: setup ## change the code in small ways and see whether a test notices; ONLY="permission loop/turn.py" narrows it, SAMPLE=300 SEED=1 tries some
	$(BIN)/python scripts/mutants.py $(ONLY) $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

.PHONY: faults
faults: setup ## what providers and networks do instead of answering: every fault over every wire
	FAULTS_EVERY_WIRE=1 $(BIN)/pytest -vv -n $(WORKERS) --dist worksteal tests/faults

.PHONY: fuzz
fuzz: setup ## 20,000 random requests: every answer must be one the document promises
	FUZZ_CASES=$(or $(CASES),20000) $(BIN)/pytest -vv -n $(WORKERS) --dist worksteal tests/fuzz

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

crash: setup ## kill the server 300 times, and break its disk; SEED=... plays one world again
	CRASH_SEED=$(SEED) CRASH_WORLDS=20 $(BIN)/pytest -n $(WORKERS) --dist worksteal tests/crash

crash-long: setup ## the same for half an hour, with new seeds
	CRASH_PREFIX=$$(date +%s)- CRASH_WORLDS=200 CRASH_SECONDS=60 $(BIN)/pytest -n $(WORKERS) --dist worksteal tests/crash

.PHONY: reverts
reverts: setup ## 200 random programs of changes, taken back and forward at random; SEED=... plays one again
	REVERT_SEED=$(SEED) REVERT_PROGRAMS=200 $(BIN)/pytest -n $(WORKERS) --dist worksteal tests/revert

.PHONY: aborts
aborts: setup ## abort whatever a session may be doing; prints how long everything took to stop, and holds it to its limit
	ABORT_MEASURE=1 $(BIN)/pytest -s tests/abort

official-clients: setup ## drive OpenCode's own clients on the server (needs root, tmux, npm); VERSION=1.2.15 takes an older one
	$(BIN)/python -m scripts.official_clients $(if $(VERSION),--version $(VERSION)) $(if $(ONLY),--only $(ONLY))

.PHONY: import-official
import-official: setup ## official servers write data, ours imports it and says the same (needs root, npm); RECORD=folder keeps it
	$(BIN)/python -m scripts.import_official $(if $(VERSIONS),--versions $(VERSIONS)) $(if $(RECORD),--record $(RECORD))

streams-long: setup ## clients with faults follow 100,000 events and many restarts; SEED=... plays a run again
	$(BIN)/python -m tests.stream.long $(if $(SEED),--seed $(SEED))

soak: setup ## 10,000 prompts while clients come and go: nothing may grow; draws docs/soak.svg
	$(BIN)/python -m bench.soak --out docs

bench: setup ## compare with the official servers and write docs/performance.md; best on a quiet machine
	$(BIN)/python -m bench --report docs

docs: setup ## bring the generated pages of docs/ up to date
	$(BIN)/python -m opencode.http.endpoints_page docs/endpoints.md
	$(BIN)/python -m opencode.config.manual docs/configuration.md
