# Everything a person does with this tree. Needs Python 3.11 or newer and make; uv makes it faster where it is.
# `make` alone lists the targets.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test soak coverage check fix bench lock clean install verifier

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PARALLEL ?= 2
ARGS ?=
# A file stays with one process, so that what it sets up once is set up once.
IN_PARALLEL = -n $(PARALLEL) --dist loadfile --no-loadscope-reorder
PYTEST = $(BIN)/pytest $(IN_PARALLEL)
# The tests themselves are not measured, so nothing is lost where slipcover and pytest's rewriting of asserts meet.
TAKEN = $(VENV)/branches.json
MEASURING = -W 'ignore:Module already imported:pytest.PytestAssertRewriteWarning' \
	-W 'ignore:Unable to activate pytest branch coverage:RuntimeWarning'

# The first interpreter that is new enough.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)

help: ## List what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(READY) ## Start a clinic with people in it on 127.0.0.1:8000 (CASELOAD_PORT, CASELOAD_DATA_DIR)
	@exec $(BIN)/caseload serve --demo $(ARGS)

test: $(READY) ## Run every test against a PostgreSQL of their own, in parallel
	@$(PYTEST) $(ARGS)

soak: $(READY) ## Run the same tests at their full counts
	@$(PYTEST) --soak $(ARGS)

coverage: $(READY) ## Run every test, and ask that they take every branch of the domain
	@$(BIN)/slipcover --json --out $(TAKEN) -m pytest $(IN_PARALLEL) $(MEASURING) $(ARGS)
	@$(BIN)/slipcover --skip-covered --fail-under 100 --out $(TAKEN) --merge $(TAKEN)

check: $(READY) ## Format, lint, types, layers, dependencies, dead code, migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/deptry .
	$(BIN)/vulture
	$(BIN)/caseload db upgrade --sql > $(VENV)/migrations.sql
	$(BIN)/squawk --config .squawk.toml $(VENV)/migrations.sql
	$(BIN)/basedpyright --threads 2

fix: $(READY) ## Format, and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## Measure against bare PostgreSQL in the same run
	@$(BIN)/python -m benchmarks $(ARGS)

# What an auditor takes along: one file, and the wheels of `cryptography` for these machines and versions of Python.
VERIFIER := build/verifier
VERIFIER_MACHINES ?= manylinux_2_28_x86_64
VERIFIER_PYTHONS ?= 3.11 3.12 3.13
verifier: $(READY) ## Pack the verifier of the audit log into one file, in build/verifier
	@rm -rf $(VERIFIER)
	@$(BIN)/python -m caseload.audit.verify.packed --lock requirements.lock $(VERIFIER)
	@for machine in $(VERIFIER_MACHINES); do for version in $(VERIFIER_PYTHONS); do \
		$(BIN)/python -m pip download -q --disable-pip-version-check --no-deps --require-hashes --only-binary :all: \
			--platform $$machine --platform manylinux2014_x86_64 --python-version $$version \
			-r $(VERIFIER)/requirements.txt -d $(VERIFIER)/wheels/$$version || exit 1; done; done
	@$(BIN)/python -m caseload.audit.verify.packed $(VERIFIER)

lock: $(READY) ## Resolve the dependencies again and write requirements.lock
	@$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header \
		--python-version 3.11 --extra embedded --group dev pyproject.toml -o requirements.lock

install: $(READY) ## Make the environment in .venv and nothing else

clean: ## Remove the environment and what the tools left; never the clinic's data
	rm -rf $(VENV) .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made once, and again when the lock or the project's own metadata change. The mark is written last, so that an
# interrupted installation is taken up again.
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer is needed: install it, or say make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -x $(BIN)/python || echo "Making the environment in $(VENV) (once)..." >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "make: $(PYTHON) cannot make environments: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }
	@if command -v uv >/dev/null 2>&1; then \
		uv pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock && \
		uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
		$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock && \
		$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	fi
	@$(BIN)/python -m compileall -q src migrations
	@touch $@
