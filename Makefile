# Every target makes the machine ready by itself; see scripts/setup.
# Variables: SERVE=0 (demo ends instead of leaving the office open), INVOICES=folder (demo-sqlledger), LONG=1 (faults),
# ARGS=... (test, check, faults)

PY := .venv/bin/python
CODE := $(wildcard tallyman bots ocr models systems fixtures benchmarks tests scripts)
INVOICES ?= ../shared/data/invoices

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-sqlledger test check faults static clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

setup: ## Install what is missing: system packages, .venv, Python packages
	@scripts/setup run

demo: setup ## Practice office and bots end to end; SERVE=0 ends after the table
	@.venv/bin/tallyman demo $(if $(filter 0,$(SERVE)),--no-serve)

demo-sqlledger: setup ## The same against a real ERP (SQL-Ledger, needs root); INVOICES=folder
	@$(PY) -m fixtures.demo_sqlledger "$(INVOICES)"

# Both halves run even when the first one fails, so that one run tells everything. Pytest's closing line comes last.
test: ## All that CI runs: static checks and every test
	@scripts/setup test
	@status=0; $(MAKE) --no-print-directory static || status=$$?; \
	$(PY) -m pytest -q -n 2 --dist loadfile $(ARGS) || status=$$?; exit $$status

check: ## Before a commit: static checks and the fast tests
	@scripts/setup test
	@$(MAKE) --no-print-directory static
	@$(PY) -m pytest -q -m "not slow and not erp" $(ARGS)

faults: ## The fault matrix, written to docs/faults.md; LONG=1 for the full figures (an hour and a quarter)
	@scripts/setup test
	@$(PY) -m benchmarks.durability --write docs/faults.md $(if $(LONG),--long) $(ARGS)

# All four are run, so that one run tells everything.
static:
	@status=0; \
	$(PY) -m ruff format --check $(CODE) || status=1; \
	$(PY) -m ruff check --quiet $(CODE) || status=1; \
	$(PY) -m mypy $(CODE) || status=1; \
	.venv/bin/lint-imports --no-logo || status=1; \
	exit $$status

clean: ## Remove what was built: .venv, caches, the demo's data
	rm -rf .venv .demo out build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
