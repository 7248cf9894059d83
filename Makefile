# make digits   set up, train on the real digits, judge, read sample pictures
# make test     set up, run the tests
# make check    set up, run formatter, linter, type checker and tests
# make bench    set up, measure everything that is claimed: benchmarks/RESULTS.md

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MODEL := digits.safetensors

.DEFAULT_GOAL := test
.PHONY: digits test check bench clean

$(VENV)/.ready-%: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.$(EXTRA)'
	@touch $@

$(VENV)/.ready-test: EXTRA = [test]
$(VENV)/.ready-dev: EXTRA = [dev]

digits: $(VENV)/.ready-core
	$(BIN)/pellucid train digits --out $(MODEL)
	$(BIN)/pellucid evaluate $(MODEL) digits
	$(BIN)/pellucid predict $(MODEL) examples/pictures/*

test: $(VENV)/.ready-test
	$(BIN)/python -m pytest

check: $(VENV)/.ready-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

bench: $(VENV)/.ready-test
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) dist build
