# Every target does its own set-up: Python 3.11+ and make are enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UV_VERSION := 0.13.9

.DEFAULT_GOAL := help
.PHONY: help install demo run test test-all coverage check format bench screenshots secrets lock docs facts clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(STAMP) ## Make the virtual environment and fill it with the pinned requirements

$(STAMP): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Lavawall needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@touch $@

demo: $(STAMP) ## Play a whole incident against the emulator, then serve it (DEMO_PORT, or 8000)
	@mkdir -p var && rm -f var/demo.sqlite3*
	@DATABASE_URL=sqlite:///$(CURDIR)/var/demo.sqlite3 LAVAWALL_PACE=unlimited $(BIN)/python manage.py demo

run: $(STAMP) ## Web and worker for development on http://127.0.0.1:8000
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py serve

PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal --durations=15 --durations-min=1
EXHAUSTIVE := --hypothesis-profile=exhaustive
COVERAGE := --cov --cov-report=term --cov-report=json:var/coverage.json

test: $(STAMP) ## Prove every capability in minutes, on SQLite or on DATABASE_URL
	@$(PYTEST) -m "not exhaustive" $(ARGS)

test-all: $(STAMP) ## The exhaustive suite: every attack, fault and type, and many more examples of each property
	@$(PYTEST) $(EXHAUSTIVE) $(ARGS)

coverage: $(STAMP) ## The exhaustive suite, and what of the code it covers: fails below the bar
	@$(PYTEST) $(EXHAUSTIVE) $(COVERAGE) $(ARGS)
	@$(BIN)/python tools/coverage_gate.py var/coverage.json

check: $(STAMP) ## Lint, types, import rules, deployment checks, migrations, generated docs, known vulnerabilities
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@$(BIN)/python tools/deploy_check.py
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/python manage.py generate_docs --check
	@$(BIN)/python -m tests.roundtrip.table --check
	@$(BIN)/python tools/audit_dependencies.py

format: $(STAMP) ## Format and fix what can be fixed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMP) ## Measure; writes bench/results.json
	@$(BIN)/python -m tests.bench

screenshots: $(STAMP) ## Take the README's pictures anew, in Chromium
	@$(BIN)/python -m pytest -q tests/browser/screenshots.py

docs: $(STAMP) ## Write the generated docs anew
	@$(BIN)/python manage.py generate_docs
	@$(BIN)/python -m tests.roundtrip.table

facts: $(STAMP) ## Derive the tables in tests/data anew from published facts (LAVAWALL_FACTS, or ../shared/graph)
	@$(BIN)/python -m tests.facts

secrets: ## Create the files under secrets/ that compose.yaml needs
	@$(PYTHON) tools/make_secrets.py

lock: $(STAMP) ## Pin the newest allowed versions of all requirements, with hashes
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes requirements.in -o requirements.txt
	@$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes -c requirements.txt requirements-dev.in -o requirements-dev.txt

clean: ## Remove the virtual environment, caches and the embedded database
	@rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* db.sqlite3*
