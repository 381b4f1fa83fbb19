# On a fresh clone: `make run` starts the desk, `make test` checks everything. Needs python3 and make.
VENV := .venv
BIN := $(VENV)/bin
# The first of these that is Python 3.11 or newer and can make a virtual environment.
PYTHON := $(shell for candidate in python3 python3.13 python3.12 python3.11; do \
	$$candidate -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$candidate && break; done)
PIP := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes
# Settings made for tests; no .env is read.
TESTING := DJANGO_SETTINGS_MODULE=tests.settings PYTHONPATH=platform:.

# Files as they are found: else the one with the fewest tests, and so with the longest, would begin last.
IN_ORDER := --dist loadfile --no-loadscope-reorder

.PHONY: run bench chaos day venues screenshots test lint format clean

run: $(VENV)/.run-stamp
	@exec $(BIN)/python manage.py quickstart $(if $(PORT),--port $(PORT))

# On all cores; what starts processes of its own comes after, two at a time.
test: lint
	$(BIN)/python -m pytest -n auto $(IN_ORDER) -m "not e2e"
	$(BIN)/python -m pytest -n 2 $(IN_ORDER) -m e2e

lint: $(VENV)/.test-stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy .
	@$(TESTING) $(BIN)/lint-imports --no-logo
	@$(TESTING) $(BIN)/python -m django makemigrations --check --dry-run

# A desk under faults, kills and restarts, at all venues or at VENUES: SEED, MINUTES, REPORT. Its books are on
# SQLite, with SERVERS=own on PostgreSQL and Redis of its own, really restarted, or on those of DATABASE_URL and REDIS_URL.
chaos: $(VENV)/.test-stamp
	@$(BIN)/python -m tests.chaos --seed $(or $(SEED),1) --minutes $(or $(MINUTES),2) \
		$(if $(DATABASE_URL),--database-url $(DATABASE_URL)) $(if $(REDIS_URL),--redis-url $(REDIS_URL)) \
		$(if $(SERVERS),--own-servers) $(if $(VENUES),--venues $(VENUES)) $(if $(REPORT),--report $(REPORT))

# A long day on a virtual clock, and what grew in it: CYCLES, MINUTES (at most), DATABASE_URL, REPORT.
day: $(VENV)/.test-stamp
	@$(BIN)/python -m tests.chaos.day --cycles $(or $(CYCLES),500000) $(if $(MINUTES),--minutes $(MINUTES)) \
		$(if $(DATABASE_URL),--database-url $(DATABASE_URL)) $(if $(REPORT),--report $(REPORT))

# What the desk costs on this machine, beside its budgets: ONLY, BOTS, MINUTES, JSON, DATABASE_URL (of a PostgreSQL;
# else one of its own). The last table is kept in docs/bench.md.
bench: $(VENV)/.test-stamp
	@$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(BOTS),--bots $(BOTS)) \
		$(if $(MINUTES),--minutes $(MINUTES)) $(if $(JSON),--json $(JSON)) \
		$(if $(DATABASE_URL),--database-url $(DATABASE_URL))

# The generated parts of docs/venues.md; a test says when they are out of date.
venues: $(VENV)/.test-stamp
	@$(TESTING) $(BIN)/python -m tests.spec.table

# Pictures of each page for the documentation, in Chromium: ONLY="dashboard orders", or all of them.
screenshots: $(VENV)/.test-stamp
	@$(BIN)/python -m tests.browser.screenshots $(ONLY)

format: $(VENV)/.test-stamp
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis staticfiles

$(VENV)/.venv-stamp:
	@test -n "$(PYTHON)" || { echo "Botdesk needs Python 3.11 or newer (with venv) as python3 on the PATH." >&2; exit 1; }
	@echo "Making $(VENV) with $(PYTHON) …"
	@trap 'rm -f $(VENV).log; exit 130' INT; $(PYTHON) -m venv --clear $(VENV) 2>$(VENV).log \
		|| { cat $(VENV).log >&2; rm -f $(VENV).log; exit 1; }; rm -f $(VENV).log
	@touch $@

$(VENV)/.run-stamp: $(VENV)/.venv-stamp requirements.txt
	@echo "Installing what Botdesk needs (a minute or two, once) …"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.test-stamp: $(VENV)/.run-stamp requirements-dev.txt
	@echo "Installing what its tests need …"
	@$(PIP) -r requirements-dev.txt
	@touch $@
