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
BENCH ?=
# Swift's runtime and OpenSSL are linked in, as in the image: quicker, and nothing to install beside
# it (docs/decisions, 20 and 23). `.ci/setup swift` lays OpenSSL's archives out. Always the same
# options: others would compile everything anew.
RELEASE := PKG_CONFIG_PATH=$(CURDIR)/.build/archives swift build -c release --static-swift-stdlib

# What the example's processes and the tests find: the environment's python, and the model.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export MODEL_PATH := $(CURDIR)/$(MODEL)

.PHONY: help
help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: setup-swift ## build the gateway in release mode: .build/release/sluice
	$(RELEASE) --product sluice

.PHONY: run
run: build setup-worker $(MODEL) ## start the gateway with three real prediction processes
	@cat docker/worker/try.txt
	@exec .build/release/sluice serve $(CONF)

.PHONY: test
test: setup-swift setup-worker $(MODEL) ## install what the tests need, and run all of them
	.ci/setup python train test bench manifests
	.ci/setup monitoring
	.venv/bin/python -m pytest -q -p no:cacheprovider docker/worker
	$(RELEASE) --product sluice
	.venv/bin/python -m pytest -q -p no:cacheprovider docker/tests k8s/tests
	swift build --build-tests
	swift test --skip-build --disable-xctest --skip EndToEndTests
	# By themselves: they watch other programs, and must not wait for tests that only compute.
	swift test --skip-build --disable-xctest --filter EndToEndTests

.PHONY: sim
sim: setup-swift ## replay simulated worlds: SEEDS=1000, or one by SEED=8675309
	SLUICE_SIM_SEEDS=$(SEEDS) $(if $(SEED),SLUICE_SIM_SEED=$(SEED)) \
		swift test --disable-xctest --filter SimulationTests

.PHONY: surge
surge: build ## replay the surge: 100 to 1,000 requests/s, 3 replicas to 8 or more and back
	$(RELEASE) --product StubReplica
	bench/surge --programs .build/release

.PHONY: bench
bench: build ## measure it beside nginx, HAProxy, Envoy and Caddy: about 40 minutes; BENCH=--help
	.ci/setup peers
	$(RELEASE) --product StubReplica
	.venv/bin/python bench/run $(BENCH)

.PHONY: image
image: ## build the container images; docker/try.sh tries them
	docker compose -f docker/compose.yaml build

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
