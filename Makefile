# Two commands matter: `make run` and `make test`. Both start from a bare checkout.

VENV := .venv
PYTHON := $(VENV)/bin/python
RUN_STAMP := $(VENV)/.installed-run
TEST_STAMP := $(VENV)/.installed-test
BENCH_STAMP := $(VENV)/.installed-bench
GPU_STAMP := $(VENV)/.installed-gpu
PIP := $(PYTHON) -m pip --disable-pip-version-check -qq
TESTS ?=
# The whole suite runs on every core, a file at a time.
WORKERS ?= -n auto --dist loadfile --no-loadscope-reorder -rR
BENCHMARKS ?=

.PHONY: help run test soak bench gpu lint format clean browser

help:
	@echo "make run     bring everything up and print the address with a one-time sign-in link"
	@echo "make test    install what the tests need and run them all (TESTS=tests/viewer for some)"
	@echo "make soak    the long form of the tests that have one: sixty kills, large objects (an hour and more)"
	@echo "make bench   the benchmarks beside peers (BENCHMARKS='reformats --write docs/benchmarks.md' for some)"
	@echo "make gpu     on a machine with an NVIDIA GPU: the tests that only a GPU can pass, and its benchmark beside the CPU"
	@echo "make lint    ruff, mypy and bandit;  make format  lets ruff write"
	@echo "make clean   remove the virtual environment and caches; the data folder stays"

run: $(RUN_STAMP)
	@exec $(PYTHON) manage.py serve --welcome

# The system's Python may be older, or come without venv: say so before anything fails half way.
$(PYTHON):
	@found=""; \
	for name in $$FARVIEW_PYTHON python3.14 python3.13 python3.12 python3.11 python3 python; do \
	  if command -v "$$name" >/dev/null 2>&1 && "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    found="$$name"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Farview needs Python 3.11 or later. On Debian or Ubuntu: apt-get install python3 python3-venv" >&2; exit 1; fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "$$found has no venv module. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; fi; \
	echo "Making a virtual environment with $$($$found --version)"; \
	"$$found" -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUN_STAMP): requirements.txt constraints.txt | $(PYTHON)
	@echo "Installing packages (a minute or two, once)"
	@$(PIP) install -r requirements.txt -c constraints.txt || \
	  { echo "pip could not install the packages: is the package index reachable (pip config, proxy)?" >&2; exit 1; }
	@touch $@

$(TEST_STAMP): requirements.txt requirements-dev.txt constraints.txt | $(PYTHON)
	@echo "Installing packages for the tests (a minute or two, once)"
	@$(PIP) install -r requirements-dev.txt -c constraints.txt || \
	  { echo "pip could not install the packages: is the package index reachable (pip config, proxy)?" >&2; exit 1; }
	@touch $(RUN_STAMP) $@

$(BENCH_STAMP): requirements-bench.txt constraints.txt | $(TEST_STAMP)
	@echo "Installing the peers that are measured beside us (once)"
	@$(PIP) install -r requirements-bench.txt -c constraints.txt
	@touch $@

browser: $(TEST_STAMP)
	@sh .ci/browser $(PYTHON)
	@sh .ci/validator
	@sh .ci/peers $(PYTHON)

$(GPU_STAMP): requirements-gpu.txt constraints.txt | $(TEST_STAMP)
	@echo "Installing CUDA's libraries (a minute or two, once)"
	@$(PIP) install -r requirements-gpu.txt -c constraints.txt
	@touch $@

lint: $(TEST_STAMP)
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/bandit -q -ll -r accounts config reporting viewer manage.py

format: $(TEST_STAMP)
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

test: $(TEST_STAMP) browser lint
	@$(PYTHON) -m pytest $(WORKERS) $(TESTS)

soak: $(TEST_STAMP)
	@FARVIEW_SOAK=1 $(PYTHON) -m pytest -n 0 -m soak $(TESTS)

bench: $(BENCH_STAMP)
	@$(PYTHON) -m benchmarks $(BENCHMARKS)

gpu: $(GPU_STAMP)
	@$(PYTHON) -m pytest -n 0 tests/viewer/rendering/device_hardware.py tests/viewer/rendering/test_device_pictures.py
	@$(PYTHON) -m benchmarks device

clean:
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
