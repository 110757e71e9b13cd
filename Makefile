# demo: install and see it; test: everything but the long tests, or one part of it (make test GROUP=browser). Needs Debian with
# Python 3.11 or newer, git and make; what else is missing is installed (as root or with passwordless sudo).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo -n)
APT = $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get
# Three test processes on two cores, as many tests wait for a browser, a server or a database; libraries that start threads of
# their own only get in each other's way. Which tests share a process, and which begin, tests/conftest.py says. What was
# compiled is kept even where the machine says otherwise: the tests start many processes, each of which imports the product.
PYTEST = env -u PYTHONDONTWRITEBYTECODE OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
	$(BIN)/python -m pytest -n 3 --no-loadscope-reorder

.PHONY: demo serve dev test test-slow lint format bench texts map clean
.DELETE_ON_ERROR:

demo: $(VENV)/.app
	$(BIN)/segmentry demo

serve: $(VENV)/.app
	$(BIN)/segmentry serve

dev: $(VENV)/.dev system

test: dev
	$(PYTEST) $(if $(GROUP),--part=$(GROUP))

test-slow: dev
	$(PYTEST) -m slow

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

POT = dashboard/i18n/translations/segmentry.pot
# The template of translations, from everything that pages say; what config.toml and docs/intake.md say of settings.
texts: $(VENV)/.dev
	@$(BIN)/python -m tests.derived
	$(BIN)/pybabel -q extract -F pyproject.toml --omit-header --add-location=file --width=120 -o $(POT) dashboard engines storage assets config.toml

# The map of packages in CONTRIBUTING.md.
map: $(VENV)/.dev
	@$(BIN)/python -m tests.package_map

bench: $(VENV)/.dev
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Debian's python3 comes without venv's ensurepip; the second try is after installing it.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); $(APT) update -q && $(APT) install -y -q python3-venv && $(PYTHON) -m venv $(VENV); }

$(VENV)/.app: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing into $(VENV), which takes a minute or two"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt constraints-test.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -c constraints-test.txt -e '.[test,lint]'
	@touch $(VENV)/.app
	@touch $@

# Chromium with its driver and a PostgreSQL server, for the tests that need real ones.
.PHONY: system
system:
	@missing=""; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v chromedriver >/dev/null || missing="$$missing chromium-driver"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	[ -z "$$missing" ] || { $(APT) update -q && $(APT) install -y -q --no-install-recommends $$missing; }
