# Penstock's only entry for people and for CI; `make` alone lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PREFIX ?= /usr/local
SWIFT ?= swift
# every import must be of a declared dependency: the arrows of ARCHITECTURE.md are checked by each build
BUILD := $(SWIFT) build --explicit-target-dependency-import-check error
RELEASE := .build/release/penstock
# eight at a time, so that a test's time limit counts its own work; line by line, so that a test that hangs is seen
TESTS := timeout --foreground 1200 stdbuf -oL $(SWIFT) test --skip-build --experimental-maximum-parallelization-width 8

.PHONY: help demo test lint format kit bench torture torture-bugs test-torture fuzz install clean build setup kit-dev kit-dvc test-swift test-kit coverage

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what Debian packages are missing (as root, or by sudo without a prompt)
	@samples/setup-debian.sh
	@command -v $(SWIFT) >/dev/null || { echo "make: no \`$(SWIFT)\` on PATH: install a Swift 6.3 toolchain (swift.org/install), or name it with SWIFT=" >&2; exit 1; }

build: setup ## the release build
	@echo "build: the agent and its spawner (a first release build takes some minutes)"
	@$(BUILD) -c release --product penstock
	@$(BUILD) -c release --product penstock-spawner

kit: setup ## the Python environment of the stage kit
	@stages/setup.sh

kit-dev: setup
	@stages/setup.sh --dev

demo: build kit ## run a real data file from the inbox to a report
	@stages/.venv/bin/python samples/demo.py $(RELEASE)

test: test-swift test-kit test-torture ## set up and run every test

kit-dvc: setup
	@stages/setup.sh --dvc

test-swift: setup kit kit-dvc
	@$(BUILD) --build-tests --enable-code-coverage
	@rm -rf "$$(dirname "$$($(SWIFT) test --show-codecov-path)")"
	@$(TESTS) --enable-code-coverage || { code=$$?; [ $$code != 124 ] || echo "make: the tests did not end within 20 minutes; the last lines above say which began" >&2; exit $$code; }
	@$(MAKE) coverage

test-kit: kit-dev
	@cd stages && .venv/bin/python -m pytest

coverage:
	@python3 bench/coverage.py "$$($(SWIFT) test --show-codecov-path)"

lint: setup kit-dev ## check the format, the types and the imports; change nothing
	@$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests fuzz bench/trials/worlds
	@cd stages && .venv/bin/python -m ruff check . ../bench/torture ../bench/engine ../bench/trials ../bench/schedule && .venv/bin/python -m ruff format --check . ../bench/torture ../bench/engine ../bench/trials ../bench/schedule && .venv/bin/python -m mypy
	@cd stages && .venv/bin/python -m mypy --config-file pyproject.toml ../bench/torture/*.py
	@cd stages && .venv/bin/python -m mypy --config-file pyproject.toml ../bench/engine/*.py
	@cd stages && .venv/bin/python -m mypy --config-file pyproject.toml ../bench/trials/*.py
	@cd stages && .venv/bin/python -m mypy --config-file pyproject.toml ../bench/schedule/*.py
	@bench/lint-repo.sh

format: kit-dev ## put Swift and Python into the house's format
	@$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests fuzz bench/trials/worlds
	@cd stages && .venv/bin/python -m ruff check --fix -q . ../bench/torture ../bench/engine ../bench/trials ../bench/schedule && .venv/bin/python -m ruff format -q . ../bench/torture ../bench/engine ../bench/trials ../bench/schedule

bench: build kit ## benchmarks, each prints its table (BENCH=--whole for all of intake)
	@bench/run.sh $(RELEASE) $(BENCH)

# SEED=N repeats a run, PATCH=FILE tortures a copy of the tree with a patch, TORTURE="--short" says what else is wanted
torture: build ## kill the agent everywhere, cut its power, and judge from outside (an hour); PATCH=file must be caught
	@python3 bench/torture $(if $(PATCH),--patch $(PATCH)) $(if $(SEED),--seed $(SEED)) $(TORTURE)
	@$(if $(PATCH),true,python3 bench/hostile.py $(RELEASE))

torture-bugs: setup ## prove the harness itself: each seeded bug must be caught
	@python3 bench/torture --bugs $(if $(SEED),--seed $(SEED))

test-torture: setup
	@python3 bench/torture --short

fuzz: setup ## libFuzzer over all that reads bytes of others; FUZZ_SECONDS=60 of CPU time each
	@fuzz/run.sh build
	@fuzz/run.sh run

install: build kit ## copy the programs and the kit below PREFIX (default /usr/local)
	@install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/penstock"
	@install -m 755 .build/release/penstock .build/release/penstock-spawner "$(DESTDIR)$(PREFIX)/bin"
	@rm -rf "$(DESTDIR)$(PREFIX)/share/penstock/stages"
	@cp -r stages "$(DESTDIR)$(PREFIX)/share/penstock/stages"
	@rm -rf "$(DESTDIR)$(PREFIX)/share/penstock/stages/.venv"
	@"$(DESTDIR)$(PREFIX)/share/penstock/stages/setup.sh"
	@install -d "$(DESTDIR)$(PREFIX)/share/penstock/pipelines" "$(DESTDIR)$(PREFIX)/share/penstock/etc"
	@cp -r pipelines/. "$(DESTDIR)$(PREFIX)/share/penstock/pipelines"
	@cp etc/penstock.yaml etc/penstock.service "$(DESTDIR)$(PREFIX)/share/penstock/etc"
	@install -d "$(DESTDIR)$(PREFIX)/share/penstock/hooks"
	@cp -r hooks/. "$(DESTDIR)$(PREFIX)/share/penstock/hooks"
	@install -d "$(DESTDIR)$(PREFIX)/share/bash-completion/completions" "$(DESTDIR)$(PREFIX)/share/zsh/site-functions" "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d"
	@.build/release/penstock --generate-completion-script bash > "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/penstock"
	@.build/release/penstock --generate-completion-script zsh > "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_penstock"
	@.build/release/penstock --generate-completion-script fish > "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/penstock.fish"

clean: ## remove what was built; var/ and the kit's environment stay
	@rm -rf .build stages/.mypy_cache stages/.ruff_cache stages/.pytest_cache
