# The two commands of a new user are `make conformance` and `make test`; they need Python >= 3.11 and make.
# ARGS is passed on: make conformance ARGS="--cases '6.*' --strict"
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help conformance limits compare compare-all test coverage lint format bench bench-engine crosscheck crosscheck-faults faults browser bench-report fuzz clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

conformance: $(VENV)/.installed ## run all cases and limit probes against the reference server and write the report
	@$(BIN)/wsconform run refimpl $(ARGS)

limits: $(VENV)/.installed ## the limit probes alone
	@$(BIN)/wsconform run refimpl --suite limits $(ARGS)

compare: $(VENV)/.installed ## every implementation from PyPI and npm, side by side (needs node; a quarter of an hour, and its set-ups)
	@$(BIN)/wsconform compare --tools node,npm $(ARGS)

compare-all: $(VENV)/.installed ## all of them; in containers what needs a toolchain that is not here (an hour or two)
	@$(BIN)/wsconform compare --container-if-missing $(ARGS)

test: $(VENV)/.installed-dev ## run the tests
	@$(BIN)/pytest -n 2 --dist loadfile -m "not slow and not site" $(ARGS)

coverage: $(VENV)/.installed-dev ## run the tests and tell which lines they miss, also in processes that they start
	@$(BIN)/pytest -n 2 --dist loadfile -m "not slow and not site" --cov --cov-report=term $(ARGS)

lint: $(VENV)/.installed-dev ## check formatting, style and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

format: $(VENV)/.installed-dev ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.installed ## measure refimpl's echo beside other servers (ratios of one run)
	@$(BIN)/python -m bench $(ARGS)

bench-engine: $(VENV)/.installed ## measure the native engine beside a serial wstest (20 minutes; ARGS=--skip-deflate: one)
	@$(BIN)/python -m bench.engine $(ARGS)

crosscheck: $(VENV)/.installed ## both engines on every implementation, and where they disagree (half an hour)
	@$(BIN)/wsconform crosscheck $(ARGS)

crosscheck-faults: $(VENV)/.installed ## the same on fifteen faulty servers, sections 1 to 10 (ten minutes)
	@$(BIN)/wsconform crosscheck $$($(BIN)/python -m tests.faulty.folders build/faulty) --exclude '12.*' --exclude '13.*' $(ARGS)

faults: $(VENV)/.installed-dev ## every faulty server is found out, and a table of which case finds which (fifteen minutes)
	@$(BIN)/python -m pytest -p tests.integration.fault_table -n 2 --dist worksteal -m slow $(ARGS)

browser: $(VENV)/.installed-dev ## run five implementations, and walk through their report with Chromium and axe-core (three minutes)
	@$(BIN)/pytest -m site $(ARGS)

bench-report: $(VENV)/.installed ## a report of 30 made-up implementations: size, seconds, memory, against its budget
	@$(BIN)/python -m bench.report_site $(ARGS)

fuzz: $(VENV)/.installed-dev ## ten minutes of random bytes for refimpl
	@$(BIN)/python -m tests.refimpl.fuzz --seconds 600 $(ARGS)

clean: ## remove what the commands above made in this folder
	rm -rf $(VENV) build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "wsconform needs Python 3.11 or newer, and $(PYTHON) is older: make PYTHON=python3.13 ..." >&2; exit 3; }
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment: apt-get install python3-venv" >&2; exit 3; }

$(VENV)/.installed: $(VENV)/bin/pip pyproject.toml constraints.txt
	@echo "installing wsconform into $(VENV)" >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docker]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "installing what the tests need into $(VENV)" >&2
	@$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docker,dev]'
	@touch $@
