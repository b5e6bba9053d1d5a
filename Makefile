# make demo   set up, build the notebooks, grade a sample class in the sandbox and show what came out
# make test   set up and run the whole test suite
# make slow   the tests marked slow
# make proof  the tests marked proof: hours, before a release; stopped, it goes on where it was
# make lab    open JupyterLab on your own copies of the lessons, in my_course/
# make matrix write the table of what the checks catch to docs/matrix.md
# make lint   ruff, pyright and the borders between the packages
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PROGRAMS := $(VENV)/.programs
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo test slow proof lab lint matrix setup build clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# make/  make/p' Makefile

setup: $(READY)

$(READY): pyproject.toml constraints.txt tools/setup.sh tools/relocatable.py tools/apt.sh
	@PYTHON="$(PYTHON)" sh tools/setup.sh "$(VENV)"

$(PROGRAMS): $(READY) tools/programs.sh
	@sh tools/programs.sh "$(PROGRAMS)"

build: $(READY)
	@$(BIN)/autograder build

demo: $(READY)
	@$(BIN)/autograder demo

test: $(READY) $(PROGRAMS)
	@$(BIN)/python -m ruff check --quiet .
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not proof" --durations=10

slow: $(READY) $(PROGRAMS)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m slow --durations=10

proof: $(READY) $(PROGRAMS)
	@$(BIN)/python -m pytest -n 2 --dist loadfile -p tests.resume --resume .proof.jsonl -m proof

lab: $(READY)
	@$(BIN)/autograder lab

matrix: $(READY)
	@$(BIN)/autograder matrix

lint: $(READY)
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m pyright
	@$(BIN)/lint-imports

clean:
	rm -rf $(VENV) work/demo
