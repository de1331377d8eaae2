# Everything a person does with this repository. `make` alone lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
URL ?= http://127.0.0.1:$(or $(GATEWAY_PORT),8000)
# Of those in working form: what is onboarded beside them has no tenant.toml there.
FIRST_EXAMPLE := $(firstword $(sort $(notdir $(patsubst %/tenant.toml,%,$(wildcard examples/tenants/*/tenant.toml)))))
CHOSEN_TENANT := $(or $(GATEWAY_DEFAULT_TENANT),$(CLIENT_ID),$(shell grep -Ehs '^(export +)?(GATEWAY_DEFAULT_TENANT|CLIENT_ID)=.' .env | tail -n 1 | cut -d= -f2-))
TENANT ?= $(or $(CHOSEN_TENANT),$(FIRST_EXAMPLE))
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header

.PHONY: help
help: ## List these targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-11s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- the environment: a stamp for each lock, so that a second call is instant -----------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing what runs …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing what develops …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@

# --- running it --------------------------------------------------------------------------------

.PHONY: run
run: $(VENV)/.installed ## Serve the example tenants on 127.0.0.1:8000 (GATEWAY_PORT=)
	@$(if $(CHOSEN_TENANT),,GATEWAY_DEFAULT_TENANT=$(FIRST_EXAMPLE)) exec $(BIN)/gateway serve

.PHONY: chat
chat: $(VENV)/.installed ## Talk to the running gateway over SSE (TENANT=, URL=)
	@$(BIN)/tenantctl chat $(TENANT) --gateway $(URL) --protocol sse

.PHONY: chat-ws
chat-ws: $(VENV)/.installed ## Talk to the running gateway over WebSocket (TENANT=, URL=)
	@$(BIN)/tenantctl chat $(TENANT) --gateway $(URL) --protocol ws

# --- keeping it right --------------------------------------------------------------------------

.PHONY: test
test: $(VENV)/.installed-dev ## Run the whole test suite (ARGS="-k name")
	@$(BIN)/pytest $(ARGS)

.PHONY: check
check: lint format-check type-check layers lock-check ## Run every gate

.PHONY: lint
lint: $(VENV)/.installed-dev ## Lint with ruff
	@$(BIN)/ruff check .

.PHONY: format
format: $(VENV)/.installed-dev ## Format, and mend what ruff can mend by itself
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: format-check
format-check: $(VENV)/.installed-dev ## Say what is not formatted
	@$(BIN)/ruff format --check .

.PHONY: type-check
type-check: $(VENV)/.installed-dev ## Check the types with mypy
	@$(BIN)/mypy

.PHONY: layers
layers: $(VENV)/.installed-dev ## Check that imports point down
	@$(BIN)/lint-imports --no-logo

.PHONY: lock-check
lock-check: $(VENV)/.installed-dev ## Check that the locks hold what pyproject.toml asks for
	@$(BIN)/pytest tests/unit/test_repository_locks.py

.PHONY: lock
lock: $(VENV)/.installed-dev ## Resolve the dependencies anew into both locks (ARGS=--upgrade)
	@$(BIN)/$(LOCK) $(ARGS) pyproject.toml --output-file requirements.txt
	@$(BIN)/$(LOCK) $(ARGS) --constraint requirements.txt pyproject.toml --extra dev --output-file requirements-dev.txt

.PHONY: bench
bench: $(VENV)/.installed-dev ## Measure it (ARGS=)
	@$(BIN)/python -m bench $(ARGS)

.PHONY: clean
clean: ## Remove the environment, caches and .data (threads of the examples)
	@rm -rf $(VENV) .data dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
