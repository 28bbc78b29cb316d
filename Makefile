# Everything that is done with a checkout. `make help` lists it.

PYTHON ?= python3
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev

# What decides about money and reads what strangers send; a gate asks for every branch of it.
PURE := call_core/commands.py,call_core/administration.py,call_core/command_json.py,call_core/requests.py,call_core/request_json.py
PURE := $(PURE),call_core/outcomes.py,call_core/notices.py,call_core/errors.py,call_core/ids.py
PURE := $(PURE),call_core/money.py,call_core/places.py,call_core/numbering/*,call_core/codes/*
PURE := $(PURE),call_core/customers/*,call_core/rating/*,call_core/ledger/*,call_core/calls/*
PURE := $(PURE),call_core/schedule/*,call_core/routing/*,parsers/*

.PHONY: help install run test coverage check bench soak docs lock clean
.DEFAULT_GOAL := help

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(RUN_STAMP) ## install into .venv, nothing else

run: $(RUN_STAMP) ## install, then start the demo: every channel, simulated telephones, bills compared
	@$(BIN)/callgate demo

test: $(DEV_STAMP) ## install, then run every test that needs no outside server
	@$(BIN)/pytest -q -n $(WORKERS) --dist=worksteal

coverage: $(DEV_STAMP) ## the same tests once more under coverage, with its gates
	@.ci/coverage $(BIN) $(WORKERS) '$(PURE)'

check: $(DEV_STAMP) ## every gate but the tests, in the order of .ci/run
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/vulture
	@$(BIN)/python .ci/audit.py

bench: $(DEV_STAMP) ## measure, beside the machine's own floor
	@$(BIN)/python -m tests.bench

soak: $(DEV_STAMP) ## what the tests do a slice of, at full length: kills, full disks, stopped databases
	@$(BIN)/python -m tests.soak
	@$(BIN)/python -m tests.sim --seconds 600

docs: $(DEV_STAMP) ## write the tables that the READMEs take from the code
	@$(BIN)/python -m tests.support.readme_tables

lock: $(DEV_STAMP) ## pin every package anew, with hashes (needs uv)
	.ci/lock

clean: ## remove what make made, but neither databases nor settings
	rm -rf $(VENV) build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Callgate needs Python 3.11 or newer with its venv module: on Debian or Ubuntu, apt install python3-venv; another Python is named with make PYTHON=python3.12." >&2; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

# The packages' code is used where it stands; a stamp says for which lock file they were installed.
$(RUN_STAMP): requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing (about a minute)"
	@$(PIP) install --no-compile --no-deps --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_STAMP): requirements-dev.lock $(RUN_STAMP)
	@echo "installing what tests and checks need"
	@$(PIP) install --no-compile --no-deps --require-hashes -r requirements-dev.lock
	@touch $@
