# The commands people type; everything they need is installed by them.
PORT ?= 8000
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2
PO := $(wildcard booking/translations/*/LC_MESSAGES/*.po)
MO := $(PO:.po=.mo)
ASSETS := booking/static/dist/manifest.json
FRONTEND := $(wildcard frontend/*.json frontend/*.mjs frontend/scripts/* frontend/styles/*)
PYTEST_ARGS ?=

.PHONY: help run test check bench bench-large bench-tools screenshots translations lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ —/'

run: $(BIN)/.run-installed $(MO) $(ASSETS)  ## serve pages, API and jobs with demo data on http://127.0.0.1:8000
	@BOOKING_ENV=development BASE_URL=$${BASE_URL:-http://127.0.0.1:$(PORT)} \
	  $(BIN)/booking serve --demo --port $(PORT) --workers $(WORKERS)

test: export BOOKING_REQUIRE_ASSETS = 1
test: $(BIN)/.dev-installed $(MO) $(ASSETS)  ## install what the tests need and run all of them
	@bash deploy/test-packages.sh
	$(BIN)/pytest -n auto $(PYTEST_ARGS)
	TEST_POSTGRES=system $(BIN)/pytest -n auto -m service $(PYTEST_ARGS)

check: $(BIN)/.dev-installed $(MO)  ## format, lint, types, import contracts, templates
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --quiet --check templates
	$(BIN)/djlint --quiet --lint templates

bench: bench-tools  ## benchmarks, each one line: name: figure unit (limit or peer: figure)
	$(BIN)/python -m bench

bench-large: bench-tools  ## the same on 5 million occupancies
	$(BIN)/python -m bench --large

bench-tools: export BOOKING_REQUIRE_ASSETS = 1
bench-tools: $(BIN)/.dev-installed $(MO)
	@bash deploy/test-packages.sh
	$(BIN)/python frontend/install.py --dev

screenshots: export BOOKING_REQUIRE_ASSETS = 1
screenshots: $(BIN)/.dev-installed $(MO) $(ASSETS)  ## take the README's pictures anew
	@bash deploy/test-packages.sh
	BOOKING_SCREENSHOTS=docs/screenshots $(BIN)/pytest -n 0 tests/browser/test_screenshots.py

lock:  ## pin all dependencies again, with hashes and without any registry's address
	$(BIN)/python requirements/lock.py

$(BIN)/.venv-made:
	$(PYTHON) -m venv .venv
	@touch $@

# --no-deps: the lock names everything, and pip would look for `extra[s]` the lock does not spell.
$(BIN)/.run-installed: $(BIN)/.venv-made requirements/run.txt pyproject.toml hatch_build.py
	$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements/run.txt
	@$(BIN)/python frontend/install.py find-npm \
	  || $(BIN)/pip install --quiet --no-deps --require-hashes -r requirements/node.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(BIN)/.dev-installed: $(BIN)/.run-installed requirements/dev.txt
	$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements/dev.txt
	@$(BIN)/pip --quiet check
	@touch $@

# A catalogue that does not compile leaves no .mo behind: the next make would take it for good.
.DELETE_ON_ERROR:
%.mo: %.po | $(BIN)/.run-installed
	$(BIN)/pybabel --quiet compile -i $< -o $@ -l $(notdir $(patsubst %/LC_MESSAGES/,%,$(dir $<)))

translations: $(BIN)/.dev-installed $(MO)  ## bring the catalogues up to date; new sentences stand empty
	$(BIN)/python -m tests.catalogues

$(ASSETS): $(FRONTEND) | $(BIN)/.run-installed
	$(BIN)/python frontend/install.py

clean:  ## remove what was installed and built; data in var/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis $(MO) booking/static/dist frontend/node_modules
