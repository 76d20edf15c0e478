# Everything is built with Go alone; tools run at pinned versions, those that generate code from tools/go.mod.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-print-directory

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.12.2
BENCHSTAT     := golang.org/x/perf/cmd/benchstat@v0.0.0-20260908200009-22c9c6c9d4da

COLLECTOR := bin/otelcol-tasker
CLI       := bin/taskerotel
STOCK     := bin/otelcol-stock

# The profile for profile-guided optimization, or off.
PGO     ?= cmd/otelcol-tasker/default.pgo
COMPILE := -trimpath -pgo=$(if $(filter off,$(PGO)),off,$(abspath $(PGO)))

# The output of --version, from the tag; or VERSION=1.2.3 COMMIT=… DATE=… without a repository.
BUILD_VERSION := $(shell VERSION='$(VERSION)' COMMIT='$(COMMIT)' DATE='$(DATE)' scripts/version.sh)
GO_BUILD      := CGO_ENABLED=0 go build $(COMPILE) -ldflags "-s -w -X 'github.com/tasker-otel/otelcol-tasker/cmd/internal/buildversion.linked=$(BUILD_VERSION)'"

# Directory for the benchmark's profiles.
PROFILES := $(CURDIR)/bin/profiles

# The race detector needs a C compiler; without one the tests run without it.
RACE  ?= $(shell command -v "$$(go env CC)" >/dev/null 2>&1 && echo -race)
# Runs per benchmark: with fewer than six benchstat gives no confidence interval.
SOAK ?= 10m
COUNT ?= 6
# Number of test-repeat's runs.
TIMES ?= 10
# End-to-end tests to run with the race detector, a regular expression.
RUN ?= .
# Duration of each fuzzer.
FUZZTIME ?= 10s
# Benchmarks to run, a regular expression.
BENCH ?= .

# Without the race detector everything is compiled as the binaries are, so that from an empty cache the dependencies are
# compiled once, and a second time with the race detector.
PLAIN := CGO_ENABLED=0 GOFLAGS="$(GOFLAGS) $(COMPILE)"

.PHONY: help
help: ## list the targets
	@echo "make TARGET, where TARGET is one of:"
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## build, start the collector, send a sample stream, show its tree and metrics; Ctrl-C stops
	@scripts/run.sh $(if $(FAST),--fast)

.PHONY: build
build: ## build bin/otelcol-tasker and bin/taskerotel, static
	cd cmd/otelcol-tasker && $(GO_BUILD) -o $(abspath $(COLLECTOR)) .
	$(GO_BUILD) -o $(CLI) ./cmd/taskerotel

.PHONY: test
test: test-unit test-e2e ## unit tests with the race detector, then end-to-end tests against the built binary

# Other modules that lint covers: the generated collector, which has no tests,
# and tests with their own dependencies.
MODULES := cmd/otelcol-tasker tests/browser tests/peers

# The assembler and its parts have no goroutines and no locks. Its properties take four times as long with the race detector.
SEQUENTIAL := ./internal/assembly ./internal/assembly/event ./internal/assembly/history ./internal/assembly/tree/...

# make lint has vetted everything.
.PHONY: test-unit
test-unit: ## unit tests, with the race detector for all that is used concurrently
	go test $(RACE) -vet=off $$(go list ./... | grep -vxF -e "$$(go list ./tests)" -e "$$(go list $(SEQUENTIAL))")
	$(PLAIN) go test -vet=off $(SEQUENTIAL)
	cd tests/peers && go test $(RACE) -vet=off -count=1 ./... # the test cache ignores changes of files outside the module

# -count=1: the test cache ignores changes of the binary. -parallel: these tests mostly wait.
E2E := TASKER_BIN=$(CURDIR)/$(COLLECTOR) TASKER_CLI=$(CURDIR)/$(CLI) $(PLAIN) go test -vet=off -count=1 -timeout 20m -parallel 12

.PHONY: test-e2e
test-e2e: build ## end-to-end tests against the built binary
	$(E2E) ./tests/...

# A data race ends the collector immediately with status 66, and the test prints its
# report. Linking every component with the race detector takes minutes.
.PHONY: test-e2e-race
test-e2e-race: build ## nightly: end-to-end tests against a collector built with the race detector
	cd cmd/otelcol-tasker && go build -race -trimpath -o $(abspath $(COLLECTOR))-race .
	GORACE="halt_on_error=1 exitcode=66" TASKER_BIN=$(CURDIR)/$(COLLECTOR)-race TASKER_CLI=$(CURDIR)/$(CLI) $(PLAIN) \
		go test -vet=off -count=1 -timeout 60m -parallel 2 -run '$(RUN)' ./tests/...

.PHONY: attack
attack: build ## attacks and faults against the built collector, with a table of the results (ONLY=part of a test's name, TABLE=file)
	@TASKER_BIN=$(CURDIR)/$(COLLECTOR) TASKER_CLI=$(CURDIR)/$(CLI) $(PLAIN) go run ./tests/attack $(ONLY) $(if $(TABLE),| tee '$(TABLE)')

.PHONY: test-repeat
test-repeat: ## make test TIMES times (10) during builds from an empty cache: before each release
	@scripts/test-repeat.sh $(TIMES)

.PHONY: test-peers
test-peers: build release-tools ## tests with real peers (promtool, dpkg and others), installed if apt-get is available; LIBREOFFICE=1 includes LibreOffice
	@scripts/install-peers.sh
	TASKER_PEERS=1 $(E2E) ./tests/... ./packaging ./exporter/taskercsv
	cd tests/peers && TASKER_PEERS=1 $(E2E) ./...
	cd tests/browser && TASKER_PEERS=1 $(BROWSER) ./...

# Tests of the live pages in a browser, in a separate module. They write screenshots to bin/screenshots.
BROWSER := TASKER_BIN=$(CURDIR)/$(COLLECTOR) TASKER_CLI=$(CURDIR)/$(CLI) go test -vet=off -count=1 -timeout 20m

.PHONY: screenshots
screenshots: build ## update the screenshots in docs/images/pages, with chromium and a running sample
	@scripts/install-peers.sh
	cd tests/browser && TASKER_PEERS=1 TASKER_SCREENSHOTS=$(CURDIR)/docs/images/pages $(BROWSER) -run TestScreenshots .

.PHONY: fuzz
fuzz: ## every fuzzer for FUZZTIME, one after the other; findings are written to testdata/fuzz
	@grep -rho --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' . | wc -l | xargs echo "fuzzers, $(FUZZTIME) each:"
	@grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do \
		grep -o '^func Fuzz[A-Za-z0-9]*' "$$file" | while read -r _ name; do \
			echo "$$(dirname "$$file") $$name"; \
			go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s -parallel 1 "$$(dirname "$$file")" </dev/null | tail -8; \
		done; \
	done

# Stock components for comparison in the benchmark of the whole process, in a separate module.
.PHONY: stock
stock:
	CGO_ENABLED=0 go -C tests/peers/collector build -trimpath -ldflags "-s -w" -o $(CURDIR)/$(STOCK) .

.PHONY: bench
bench: build stock ## run benchmarks into bench.txt and compare with the previous run by benchstat
	@if [ -f bench.txt ]; then mv bench.txt bench.old.txt; fi
	TASKER_BIN=$(CURDIR)/$(COLLECTOR) TASKER_STOCK=$(CURDIR)/$(STOCK) go test -run '^$$' -bench '$(BENCH)' -benchmem -count=$(COUNT) -timeout 60m \
		$$(grep -rl --include='*_test.go' --exclude-dir=peers '^func Benchmark' . | xargs -n1 dirname | sort -u) | tee bench.txt
	cd tests/peers && go test -run '^$$' -bench '$(BENCH)' -benchmem -count=$(COUNT) ./stock | tee -a $(CURDIR)/bench.txt
	@if [ -f bench.old.txt ]; then go run $(BENCHSTAT) bench.old.txt bench.txt; else go run $(BENCHSTAT) bench.txt; fi

.PHONY: profile
profile: build ## update the profile of the build, cmd/otelcol-tasker/default.pgo, from the benchmark of the whole process
	@rm -rf $(PROFILES) && mkdir -p $(PROFILES)
	TASKER_PROFILES=$(PROFILES) TASKER_BIN=$(CURDIR)/$(COLLECTOR) go test -run '^$$' -bench 'Process' -benchtime 2x ./tests
	go tool pprof -proto $(COLLECTOR) $(PROFILES)/*.pprof > cmd/otelcol-tasker/default.pgo

.PHONY: soak
soak: build ## measure the collector's memory during ten minutes of steady load (SOAK=10m)
	TASKER_BIN=$(CURDIR)/$(COLLECTOR) TASKER_SOAK=$(SOAK) go test -count=1 -timeout 0 -run TestSoak -v ./tests/

.PHONY: lint
# A separate cache per clone: with trimmed paths the findings of another clone would appear under paths that do not
# exist here, for which neither generated code nor exclusions are recognized.
lint: export GOLANGCI_LINT_CACHE = $(CURDIR)/bin/lint-cache
# Its govet includes the analyzers of go vet, which would analyze every dependency again.
lint: ## gofmt and golangci-lint, with the linters of .golangci.yml
	@unformatted="$$(gofmt -l .)"; \
	if [ -n "$$unformatted" ]; then echo "not formatted, run gofmt -w:"; echo "$$unformatted"; exit 1; fi
	$(PLAIN) go run $(GOLANGCI_LINT) run --allow-parallel-runners
	@$(foreach module,$(MODULES),(cd $(module) && $(PLAIN) go run $(GOLANGCI_LINT) run --allow-parallel-runners) &&) true

.PHONY: generate
generate: ## generate code, tables, schemas and the PrometheusRule from metadata.yaml, the Configs, builder-config.yaml and the rules
	$(PLAIN) go generate ./...
	@$(PLAIN) scripts/generate-collector.sh
	@scripts/prometheusrule.sh > deploy/kubernetes/monitoring/prometheusrule.yaml

.PHONY: check-generated
check-generated: ## fail if generated files are not up to date
	@scripts/check-generated.sh

# A taskerotel for this machine, which writes the completions and man pages of every target.
.PHONY: release-tools
release-tools:
	@mkdir -p bin/tools
	$(PLAIN) go -C tools build -o $(CURDIR)/bin/tools/ tool
	$(GO_BUILD) -o bin/tools/taskerotel ./cmd/taskerotel

# TARGETS and PACKAGERS as in scripts/release.sh; `make release TARGETS=linux/amd64` builds one target.
.PHONY: release
release: release-tools ## archives, .deb, .rpm, .apk, SBOMs and checksums of all targets into dist/, without network
	@BUILT='$(BUILD_VERSION)' PGO='$(PGO)' scripts/release.sh

.PHONY: check-release
check-release: ## check the output of make release in dist/: archives, packages, SBOMs and checksums
	TASKER_DIST=$(CURDIR)/dist $(PLAIN) go test -vet=off -count=1 -run 'TestRelease' -v ./packaging

PREFIX     ?= /usr/local
SYSCONFDIR ?= /etc
# UNITS=/etc/systemd/system, the default with systemd; empty for none.
UNITS      ?= $(if $(wildcard /run/systemd/system),/etc/systemd/system)

.PHONY: install
install: ## install the build below PREFIX (/usr/local), with configuration, units, completions and man pages; DESTDIR is prepended
	@test -x $(COLLECTOR) && test -x $(CLI) || { echo "Build first, as yourself: make build" >&2; exit 1; }
	@PREFIX=$(PREFIX) SYSCONFDIR=$(SYSCONFDIR) UNITS=$(UNITS) scripts/stage.sh "$(DESTDIR)"

.PHONY: image
image: ## build the container image otelcol-tasker:VERSION with docker; it reports version, commit and date
	@IFS='|' read -r version commit date _ <<<'$(BUILD_VERSION)'; set -x; \
	docker build -f deploy/Dockerfile --build-arg VERSION="$$version" --build-arg COMMIT="$$commit" --build-arg DATE="$$date" \
		-t otelcol-tasker:"$$version" .

.PHONY: clean
clean: ## remove build output and files of a run
	rm -rf bin data dist bench.txt bench.old.txt attack.txt
