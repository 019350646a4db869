# Every target is one line of work; what it does in detail is in the program it calls.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

STACK ?= staging
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help
help: ## Show what there is to do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[1mmake %-16s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo; echo "  STACK=$(STACK) chooses the stack (staging, prod)."

.venv/.installed: requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; $$($(PYTHON) --version) was found. Set PYTHON=... to another one." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	  || { echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing the program's requirements into .venv (about a minute, once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

.venv-emulator/.installed: rehearsal/emulator/requirements.txt .venv/.installed
	@$(BIN)/python -m rehearsal virtual-environment
	@touch $@

.PHONY: rehearse clean docker-engine
rehearse: .venv/.installed ## Deploy to this machine (STACK=prod, KEEP=1 to click around, TWICE=1 for a second up, THEN=DIR... for next releases)
	@$(BIN)/python -m rehearsal $(STACK) $(if $(KEEP),--keep) $(if $(TWICE),--twice) $(if $(THEN),--then $(THEN))

clean: .venv/.installed ## Remove what a killed rehearsal left on this machine
	@$(BIN)/python -m rehearsal clean

.PHONY: drills
drills: .venv/.installed ## Rehearse failures: bad releases, lost databases, killed updates... (DRILLS="name ..." for some; `.venv/bin/python -m rehearsal drills --list`)
	@$(BIN)/python -m rehearsal drills $(DRILLS)

docker-engine: .venv/.installed ## Install and start Docker Engine where none answers (root on Debian or Ubuntu)
	@$(BIN)/python -m rehearsal docker-engine

.PHONY: test check lint types test-unit test-emulator test-app test-rehearsal
test: check test-emulator test-app test-rehearsal ## Everything: check, then the slower tests that need a Docker engine

check: lint types test-unit ## The fast part: linters, types and unit tests

lint: .venv/.installed ## ruff, hadolint, shellcheck
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@$(BIN)/hadolint app_image/Dockerfile
	@$(BIN)/shellcheck .ci/run tests/app/run rehearsal/images/postgres/docker-entrypoint.sh

types: .venv/.installed .venv-emulator/.installed ## mypy, strict
	@$(BIN)/mypy
	@$(BIN)/mypy --config-file rehearsal/emulator/mypy.ini --python-executable .venv-emulator/bin/python -p rehearsal.emulator

test-unit: .venv/.installed ## Unit tests: offline, no Docker
	@$(BIN)/pytest -q -m 'not rehearsal'

test-emulator: .venv-emulator/.installed ## The emulator's extensions, in the emulator's own interpreter
	@$(BIN)/python -m rehearsal base-images >/dev/null
	@.venv-emulator/bin/python -m pytest -q tests/emulator

test-app: .venv/.installed ## The application's own tests, inside its image
	@$(BIN)/python -m rehearsal test-app

test-rehearsal: .venv/.installed ## Staging deployed to this machine, bad releases included
	@$(BIN)/pytest -q -m rehearsal

.PHONY: preview up bootstrap lock
preview: pulumi-cli .venv/.installed ## Show what `make up` would change in AWS
	@pulumi preview --stack $(STACK)

up: pulumi-cli .venv/.installed ## Deploy STACK to AWS from this machine
	@pulumi up --stack $(STACK)

bootstrap: pulumi-cli .venv/.installed ## Prepare an AWS account, once: the image repository
	@pulumi --cwd stacks/bootstrap up --stack account

.PHONY: status releases rollback
status: .venv/.installed ## What a stack in AWS serves now (STACK=prod)
	@$(BIN)/python -m ops status --stack $(STACK)

releases: .venv/.installed ## What was released to a stack in AWS, by whom, and what became of it
	@$(BIN)/python -m ops releases --stack $(STACK)

rollback: .venv/.installed ## Return a stack in AWS to the last good release (TO=digest or commit for another)
	@$(BIN)/python -m ops rollback --stack $(STACK) $(TO)

.PHONY: pulumi-cli
pulumi-cli:
	@command -v pulumi >/dev/null || { echo "The Pulumi CLI is not installed. Install it as https://www.pulumi.com/docs/install/ says (curl -fsSL https://get.pulumi.com | sh), or run 'make rehearse', which needs none." >&2; exit 1; }

UV_COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-annotate --no-header
lock: .venv/.installed ## Resolve the requirements again after pyproject.toml or a requirements.in changed
	@$(UV_COMPILE) --universal --python-version 3.11 pyproject.toml -o requirements.txt
	@$(UV_COMPILE) --universal --python-version 3.11 pyproject.toml --group dev -o requirements-dev.txt
	@$(UV_COMPILE) --universal --python-version 3.11 rehearsal/emulator/requirements.in -o rehearsal/emulator/requirements.txt
	@$(UV_COMPILE) --python-version 3.13 app_image/requirements.in -o app_image/requirements.txt
