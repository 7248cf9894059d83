# make digits    set up, train on the real digits, judge, read sample pictures
# make studio    set up what the studio needs, open it
# make test      set up, run the tests
# make test-studio  set up, install Chromium and the front end's tools where it may, run the studio's tests in the browser
# make check     set up, run formatter, linter, type checker, the C++ compiler with warnings as errors, and the tests
# make torture   kill trainings a thousand times, interrupt others, let their disk fail; each must go on to the same hash
# make sanitize  run the tests of the native module under the sanitizers for addresses, undefined behavior and threads
# make bench     set up, measure everything that is claimed: benchmarks/RESULTS.md
# make clean     remove everything that was set up or built

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MODEL := digits.safetensors
SOURCES := pyproject.toml $(wildcard native/*.* native/*/*.*)
JOBS := $(shell getconf _NPROCESSORS_ONLN)

.DEFAULT_GOAL := test
.PHONY: digits studio test test-studio browser check native-check torture sanitize bench clean

# $(call environment,folder): a virtual environment, if there is none yet
define environment
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 ..."; exit 1; }
@test -x $(1)/bin/python || $(PYTHON) -m venv $(1)
endef

# $(call install,folder,extra,options): Pellucid in its environment. The tools that build it go there first (CMake too,
# where the machine has none), and stay: so only the C++ files that have changed are compiled again the next time.
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check
define install
$(call environment,$(1))
$(1)/bin/python $(PIP_INSTALL) scikit-build-core
$(1)/bin/python $(PIP_INSTALL) $$($(1)/bin/python -m scikit_build_core.build requires | tr -d '[],"')
$(1)/bin/python $(PIP_INSTALL) --no-build-isolation $(3) --editable '.$(2)'
@touch $@
endef

$(VENV)/.ready-core: $(SOURCES)
	$(call install,$(VENV))
$(VENV)/.ready-studio: $(SOURCES)
	$(call install,$(VENV),[studio])
$(VENV)/.ready-test: $(SOURCES)
	$(call install,$(VENV),[test])
$(VENV)/.ready-dev: $(SOURCES)
	$(call install,$(VENV),[dev])
$(VENV)/.ready-browser: $(SOURCES)
	$(call install,$(VENV),[browser])

digits: $(VENV)/.ready-core
	$(BIN)/pellucid train digits --out $(MODEL)
	$(BIN)/pellucid evaluate $(MODEL) digits
	$(BIN)/pellucid predict $(MODEL) examples/pictures/*

studio: $(VENV)/.ready-studio
	$(BIN)/pellucid studio

test: $(VENV)/.ready-test
	$(BIN)/python -m pytest

test-studio: $(VENV)/.ready-browser web/node_modules/.package-lock.json browser
	$(BIN)/python -m pytest tests/browser

NEW_ENOUGH = const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major + minor / 100 < 20.19 ? 1 : 0)
web/node_modules/.package-lock.json: web/package-lock.json
	@command -v npm > /dev/null && node -e '$(NEW_ENOUGH)' || \
		{ echo "Node.js 20.19 or newer with npm is needed to build the studio's pages."; exit 1; }
	npm ci --prefix web --no-audit --no-fund
	@touch $@

browser:
	@sh tools/build/install_chromium.sh

check: $(VENV)/.ready-dev native-check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

torture: $(VENV)/.ready-test
	$(BIN)/python tools/torture.py

# Warnings are errors, and nothing compiled for a newer processor may be run by an older one.
native-check: $(VENV)/.ready-dev
	PATH="$(CURDIR)/$(BIN):$$PATH" cmake -S native -B build/strict -DPELLUCID_WARNINGS=ON \
		-DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python > /dev/null
	PATH="$(CURDIR)/$(BIN):$$PATH" cmake --build build/strict --parallel $(JOBS)
	$(BIN)/python tools/build/check_objects.py build/strict

# In environments of their own, built apart, by GCC. Threads are watched where there are threads.
.venv-address/.ready: SANITIZE = address,undefined
.venv-thread/.ready: SANITIZE = thread
.venv-address/.ready .venv-thread/.ready: .venv-%/.ready: $(SOURCES)
	$(call install,.venv-$*,[test],--config-settings=build-dir=build/$* \
		--config-settings=cmake.define.PELLUCID_SANITIZE=$(SANITIZE))

sanitize: .venv-address/.ready .venv-thread/.ready
	.venv-address/bin/python tools/build/sanitize.py address tests/executors/native tests/data/tables tests/training tests/models \
		tests/contracts/test_training.py tests/contracts/test_early_ends.py
	.venv-thread/bin/python tools/build/sanitize.py thread tests/executors/native/test_threads.py \
		tests/executors/native/test_equal_bits.py tests/executors/native/test_predictions.py \
		tests/executors/native/test_divergence.py \
		tests/executors/native/test_image_bits.py tests/executors/native/test_image_predictions.py

.venv-peers/.ready: benchmarks/requirements.txt
	$(call environment,.venv-peers)
	.venv-peers/bin/python $(PIP_INSTALL) --requirement benchmarks/requirements.txt
	@touch $@

bench: $(VENV)/.ready-browser .venv-peers/.ready browser
	PEERS_PYTHON=$(CURDIR)/.venv-peers/bin/python $(BIN)/python benchmarks/run.py

clean:
	rm -rf $(VENV) .venv-address .venv-thread .venv-peers dist build
