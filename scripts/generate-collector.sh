#!/usr/bin/env bash
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# Generates cmd/otelcol-tasker from builder-config.yaml with the OpenTelemetry Collector Builder, and makes it take its
# version from the build (cmd/internal/buildversion) instead of the builder's constant. `make generate` runs it.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly out=cmd/otelcol-tasker

# replace FILE PATTERN REPLACEMENT fails if the builder's output does not contain PATTERN.
replace() {
	if ! grep -qE "$2" "$1"; then
		echo "$1 has no $2: the builder writes it differently now; adapt scripts/generate-collector.sh." >&2
		exit 1
	fi
	sed -Ei "s|$2|$3|" "$1"
}

go tool -modfile=tools/go.mod builder --config builder-config.yaml --skip-get-modules --skip-compilation
# With --skip-get-modules the builder does not write go.mod. A component that
# builder-config.yaml lists and go.mod lacks makes the build fail: (cd cmd/otelcol-tasker && go get MODULE@VERSION).
replace $out/main.go '(Version: +)"[^"]*",' '\1version(),'
replace $out/main.go 'otelcol\.NewCommand\(params\)' 'newCommand(params)'
replace $out/components.go '"github.com/tasker-otel/otelcol-tasker v[^"]*"' 'ownModule()'
replace $out/main.go '"github.com/tasker-otel/otelcol-tasker v[^"]*"' 'ownModule()'
gofmt -w $out

# The stock collector for `make bench` is the builder's unmodified output. Its go.mod is updated with go get.
go tool -modfile=tools/go.mod builder --config tests/peers/collector/builder-config.yaml --skip-get-modules --skip-compilation
gofmt -w tests/peers/collector
