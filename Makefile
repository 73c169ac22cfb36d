# make demo    set up what the daemon needs, then run it on a clip with a live view
# make test    set up everything, then run the whole suite
# make setup   set up everything
# make check   style, types and the rule between the rooms
# make bench   rates, latencies and CPU on this machine (one of them: make bench ARGS=sources)
# make chaos   faults done to the whole daemon, with figures; ARGS=hour for the hour
# make fuzz    ten minutes of malformed input for every decoder (x86-64)
# make clean   remove what the above made here; the asset cache stays

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
DONE := $(VENV)/done
PIP := $(BIN)/python -m pip install -qq
BENCH := $(BIN)/python -m workers.bench
BENCHES := daemon model once sources bus face

.PHONY: help setup demo test check bench chaos fuzz clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# make/make/p' Makefile

demo: $(DONE)/assets-demo
	@$(BIN)/emostream demo

setup: $(DONE)/dev $(DONE)/system-test $(DONE)/assets-test

# Two files at a time: tests of the daemon wait more than they compute. Real processes in real time stumble where a
# machine stands still, so that what fails is run once more; the summary names each that was.
test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile --reruns 1 -raR $(ARGS)

check: $(DONE)/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(DONE)/assets-demo
	@$(if $(ARGS),$(BENCH) $(ARGS),for each in $(BENCHES); do $(BENCH) $$each || exit; done)

chaos: setup
	@$(BIN)/python -m tests.chaos $(ARGS)

fuzz: setup
	@$(PIP) -e '.[fuzz]'
	@$(BIN)/python -m tests.fuzz.run $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each file below says that one step is done, until what it depends on changes.

$(DONE)/venv: setup.sh
	@./setup.sh system
	@./setup.sh venv $(VENV)
	@mkdir -p $(DONE) && touch $@

$(DONE)/run: $(DONE)/venv pyproject.toml
	@echo "installing emostream into $(VENV)"
	@$(PIP) -e '.[plot]'
	@touch $@

$(DONE)/dev: $(DONE)/run
	@./setup.sh torch $(VENV)
	@./setup.sh stubs $(VENV)
	@echo "installing what tests and training need into $(VENV)"
	@$(PIP) -e '.[dev]'
	@touch $@

$(DONE)/system-test: $(DONE)/venv
	@./setup.sh system-test
	@touch $@

$(DONE)/assets-%: $(DONE)/run models/assets.yaml
	@$(BIN)/emostream assets fetch --group $*
	@touch $@
