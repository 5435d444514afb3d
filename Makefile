# Everything one does with sluice. `make` alone lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# The targets share one build folder and one virtual environment.
.NOTPARALLEL:

MODEL := docker/worker/model.joblib
CONF ?= conf/local-processes.json5
SEEDS ?= 1000
SEED ?=

# What the example's processes and the tests find: the environment's python, and the model.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export MODEL_PATH := $(CURDIR)/$(MODEL)

.PHONY: help
help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: setup-swift ## build the gateway in release mode: .build/release/sluice
	swift build -c release --product sluice

define TRY

  sluice is starting with three prediction processes. In another terminal, try:

  one prediction (year, month, median price, homes listed, months of inventory)
    curl -H 'Content-Type: application/json' \
         -d '{"features": [2015, 6, 150000, 500, 4.5]}' http://127.0.0.1:8080/predict

  what every replica is doing
    curl http://127.0.0.1:9900/status

  kill the oldest replica; it comes back by itself
    kill -9 $$(pgrep -o -f docker/worker/model_service.py)

  400 predictions, 40 at a time, counted by status
    seq 400 | xargs -P 40 -I{} curl -s -o /dev/null -w '%{http_code}\n' \
         -H 'Content-Type: application/json' \
         -d '{"features": [2015, 6, 150000, 500, 4.5]}' \
         http://127.0.0.1:8080/predict | sort | uniq -c

  Ctrl-C here lets what is in flight finish, and stops.

endef
export TRY

.PHONY: run
run: build setup-worker $(MODEL) ## start the gateway with three real prediction processes
	@printf '%s\n' "$$TRY"
	@exec .build/release/sluice serve $(CONF)

.PHONY: test
test: setup-swift setup-worker $(MODEL) ## install what the tests need, and run all of them
	.ci/setup python test bench
	.venv/bin/python -m pytest -q -p no:cacheprovider docker/worker
	swift build --build-tests
	swift test --skip-build --disable-xctest

.PHONY: sim
sim: setup-swift ## replay simulated worlds: SEEDS=1000, or one by SEED=8675309
	SLUICE_SIM_SEEDS=$(SEEDS) SLUICE_SIM_SEED=$(SEED) \
		swift test --disable-xctest --filter SimulationTests

.PHONY: race
race: setup-swift setup-worker $(MODEL) ## run the Swift tests under the thread sanitizer
	swift test --disable-xctest --sanitize thread --scratch-path .build-race

.PHONY: format
format: ## lay the Swift sources out as .swift-format says
	swift format --in-place --recursive --parallel Package.swift Sources Tests

.PHONY: lint
lint: ## check the layout of the Swift sources
	swift format lint --strict --recursive --parallel Package.swift Sources Tests

.PHONY: check
check: lint test ## everything that must hold before a change lands

.PHONY: clean
clean: ## remove what was built, installed and trained
	rm -rf .build .build-* .venv $(MODEL)

# Set-up: quick and silent when nothing is missing.

.PHONY: setup-swift
setup-swift:
	@.ci/setup swift

.PHONY: setup-worker
setup-worker:
	@.ci/setup python worker

$(MODEL): docker/worker/train.py docker/worker/requirements.txt
	@.ci/setup python worker train
	.venv/bin/python docker/worker/train.py $@
