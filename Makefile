# Everything a maintainer runs. Needs Python >= 3.11 with pip and venv, and GNU make; each target sets up what it uses.
PYTHON ?= python3
# One more than the cores of a small machine: some tests wait for a hub.
JOBS ?= 3

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
# Tests start hundreds of processes, each of which would compile the package and the tests anew.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
# What is imported is compiled then, which is a small part of what is installed.
INSTALL := -m pip --disable-pip-version-check install -q --no-compile
PYTEST := -m pytest -n $(JOBS) --dist worksteal
# Generations of datasets other than the newest (tests/support/matrix.py), and groups of tests with an environment of their own.
MATRIX := $(shell $(PYTHON) tests/support/matrix.py)
ifeq ($(MATRIX),)
$(error $(PYTHON) is not Python >= 3.11; name one: make PYTHON=python3.12)
endif
TEST_GROUPS := $(basename $(notdir $(wildcard tests/requirements/*.txt)))

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1 \2/p' $(MAKEFILE_LIST) | awk '{printf "  make %-8s", $$2; $$1=$$2=""; print}'
	@echo "  groups   $(or $(TEST_GROUPS),none yet) (make groups, or each by its name)"

.PHONY: demo
demo: $(VENV)/stamp ## walk through the package on its embedded sample
	@$(BIN)/python -m sera_swezero.cli.demo

.PHONY: demo-publish
demo-publish: $(VENV)/stamp ## build, push and verify the sample against a hub on this machine
	@$(BIN)/python tests/support/demo_publish.py

.PHONY: test
test: lint type pytest matrix ## everything that must pass before a commit

.PHONY: lint
lint: $(VENV)/stamp ## ruff, as formatter and as linter; zizmor on the workflows
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/zizmor --offline --quiet --persona=pedantic .github

.PHONY: type
type: $(VENV)/stamp ## mypy --strict on the package
	$(BIN)/mypy

.PHONY: pytest
pytest: $(VENV)/stamp ## the tests with the newest datasets
	$(BIN)/python $(PYTEST)

.PHONY: matrix
matrix: $(MATRIX:%=matrix-%) ## the tests marked `matrix` with older generations of datasets

.PHONY: $(MATRIX:%=matrix-%)
$(MATRIX:%=matrix-%): matrix-%: .venvs/%/stamp
	.venvs/$*/bin/python $(PYTEST) -m matrix

.PHONY: generate
generate: $(VENV)/stamp ## write what derives from the catalog and the arguments
	@$(BIN)/python -m tools.generate

.PHONY: docs
docs: .venvs/docs/stamp ## the docs as a site, in site/; a warning or a link that leads nowhere is an error
	NO_MKDOCS_2_WARNING=1 .venvs/docs/bin/mkdocs build

.PHONY: faults
faults: $(VENV)/stamp ## every call of a push failed in every way; some minutes
	$(BIN)/python $(PYTEST) -m faults

.PHONY: long
long: $(VENV)/stamp .venvs/clients/stamp ## the long mode: more and fresh examples for every property, every row through every template
	$(BIN)/python $(PYTEST) -m "long or hypothesis" --hypothesis-profile=long --timeout=1800
	.venvs/clients/bin/python $(PYTEST) -m "clients and long" --timeout=1800

.PHONY: groups
groups: $(TEST_GROUPS) ## the tests that need an environment of their own

.PHONY: $(TEST_GROUPS)
$(TEST_GROUPS): %: .venvs/%/stamp
	.venvs/$*/bin/python -m pytest -m "$* and not long" --timeout=1800

# Trainers with a great many requirements: they run where they install, and a line says where they do not.
CLIENTS := $(basename $(notdir $(wildcard tests/clients/requirements/*.txt)))

.PHONY: test-clients
test-clients: clients $(CLIENTS:%=client-%) ## trainers on the training views: TRL, and LLaMA-Factory and Axolotl where they install

.PHONY: $(CLIENTS:%=client-%)
$(CLIENTS:%=client-%): client-%:
	@if $(MAKE) .venvs/client-$*/stamp; then \
		.venvs/client-$*/bin/python -m pytest tests/clients -m clients --timeout=1800; \
	else \
		echo "client $*: does not install here; not run"; \
	fi

.PHONY: bench
bench: $(VENV)/stamp ## measure; prints figures, fails on none
	@$(BIN)/python $(INSTALL) -e ".[bench]"
	$(BIN)/python -m benchmarks

.PHONY: clean
clean: ## remove environments, caches and built files
	rm -rf .venv .venvs .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist site
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is younger than what its environment was made from; else the environment is made anew.
METADATA := pyproject.toml sera_swezero/version.py

$(VENV)/stamp: $(METADATA)
	@echo "setting up $(VENV)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(INSTALL) -e ".[dev]"
	@touch $@

$(MATRIX:%=.venvs/%/stamp): .venvs/%/stamp: $(METADATA) tests/support/matrix.py
	@echo "setting up .venvs/$*"
	@rm -rf .venvs/$*
	@$(PYTHON) -m venv .venvs/$*
	@$(PYTHON) tests/support/matrix.py $* > .venvs/$*/constraints.txt
	@.venvs/$*/bin/python $(INSTALL) -c .venvs/$*/constraints.txt -e ".[test]"
	@touch $@

.venvs/docs/stamp: $(METADATA) docs/requirements.txt
	@echo "setting up .venvs/docs"
	@rm -rf .venvs/docs
	@$(PYTHON) -m venv .venvs/docs
	@.venvs/docs/bin/python $(INSTALL) -e . -r docs/requirements.txt
	@touch $@

$(TEST_GROUPS:%=.venvs/%/stamp): .venvs/%/stamp: $(METADATA) tests/requirements/%.txt
	@echo "setting up .venvs/$*"
	@rm -rf .venvs/$*
	@$(PYTHON) -m venv .venvs/$*
	@.venvs/$*/bin/python $(INSTALL) -e ".[test]" -r tests/requirements/$*.txt
	@touch $@

$(CLIENTS:%=.venvs/client-%/stamp): .venvs/client-%/stamp: $(METADATA) tests/clients/requirements/%.txt
	@echo "setting up .venvs/client-$*"
	@rm -rf .venvs/client-$*
	@$(PYTHON) -m venv .venvs/client-$*
	@.venvs/client-$*/bin/python $(INSTALL) -e ".[test]" -r tests/clients/requirements/$*.txt
	@touch $@
