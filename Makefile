# `make` alone lists the targets. The first run makes .venv with plain pip; later ones reuse it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check -c .ci/constraints.txt
PYTEST := $(BIN)/python -m pytest
.PHONY: help install demo test check format faults bench bench-periods bench-flag bench-match bench-crosswalk bench-plan fuzz clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 17

$(STAMP): pyproject.toml .ci/constraints.txt .ci/build_hook.py $(wildcard remediation/dicom/_pass.[ch])
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e '.[dev]'
	touch $@

install: $(STAMP) ## the virtual environment in .venv, everything pinned as tested

demo: $(STAMP) ## build the demo hospital and run the whole line on it (out/demo)
	$(BIN)/remediation demo --out out/demo

test: $(STAMP) ## the tests
	$(PYTEST) -n 2

check: $(STAMP) ## the gate: format, lint, types, layers, doctests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) -q -p no:randomly --doctest-modules remediation

faults: $(STAMP) ## every fault at every system call of the writer (minutes; needs strace)
	REMEDIATION_FAULTS=all $(PYTEST) -q tests/store/test_fault_sweep.py

# Peers that cannot be installed on this machine are named in the table as not there.
bench: $(STAMP) ## speed beside pydicom, DCMTK, GDCM, dicomsdl, dicom-rs and the limit (BENCH=--help)
	$(INSTALL) -e '.[bench]' || echo "some peers could not be installed"
	PYTHONPATH=tests $(BIN)/python -m bench $(BENCH)

bench-periods: $(STAMP) ## truth: planted broken periods beside ruptures; fields of known kind
	$(INSTALL) -e '.[bench]' || echo "some peers could not be installed"
	PYTHONPATH=tests $(BIN)/python -m bench.periods $(BENCH)

bench-flag: $(STAMP) ## flag on made inventories of 1 and 10 million files (3 GB in /tmp; BENCH=--help)
	PYTHONPATH=tests $(BIN)/python -m bench.judging $(BENCH)

bench-match: $(STAMP) ## match: a million studies on two cores, and a million rows full of mistakes
	PYTHONPATH=tests $(BIN)/python -m bench.matching $(BENCH)

bench-crosswalk: $(STAMP) ## the crosswalk of 1 and 10 million rows (1 GB in /tmp; BENCH=--help)
	PYTHONPATH=tests $(BIN)/python -m bench.crosswalk $(BENCH)

bench-plan: $(STAMP) ## plan beside crawl: heads a second, four times the heads (BENCH=--help)
	PYTHONPATH=tests $(BIN)/python -m bench.planning $(BENCH)

SECONDS ?= 60
fuzz: $(STAMP) ## damaged bytes for the header scanner and the rows (SECONDS=60)
	$(INSTALL) -e '.[fuzz]'
	PYTHONPATH=tests $(BIN)/python -m fuzz $(SECONDS)

format: $(STAMP) ## let ruff format and mend what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove the virtual environment and everything that was made
	rm -rf $(VENV) out
