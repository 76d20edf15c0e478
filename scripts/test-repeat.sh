#!/usr/bin/env bash
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# Runs make test N times while a build from an empty cache runs repeatedly, to find tests that fail only under
# load. The build has a separate cache, which the script removes.
set -euo pipefail
cd "$(dirname "$0")/.."
times=${1:-10}
logs=bin/test-repeat
rm -rf "$logs" && mkdir -p "$logs"
beside=$(mktemp -d)

build_beside() {
	while true; do
		rm -rf "$beside/cache"
		GOCACHE="$beside/cache" GOTMPDIR="$beside" CGO_ENABLED=0 go build -C cmd/otelcol-tasker -trimpath -o "$beside/collector" .
	done
}

# A separate process group, so that the compilers are stopped with it.
set -m
build_beside >"$logs/build.log" 2>&1 &
builder=$!
set +m
finish() {
	kill -TERM -- "-$builder" 2>/dev/null || true
	wait "$builder" 2>/dev/null || true
	rm -rf "$beside"
}
trap finish EXIT
trap 'exit 130' INT TERM

failed=0
for ((i = 1; i <= times; i++)); do
	began=$SECONDS
	# -count=1: no cached results.
	if GOFLAGS="${GOFLAGS:-} -count=1" make test >"$logs/$i.log" 2>&1; then
		echo "run $i of $times: passed, $((SECONDS - began)) s"
	else
		failed=$((failed + 1))
		echo "run $i of $times: FAILED, $((SECONDS - began)) s, $logs/$i.log:"
		grep -E '^(--- FAIL|    --- FAIL|FAIL|panic:|WARNING: DATA RACE)' "$logs/$i.log" | head -20 || true
	fi
	if ! kill -0 "$builder" 2>/dev/null; then
		echo "the build beside the tests has ended: $logs/build.log" >&2
		exit 1
	fi
done
echo "$((times - failed)) of $times runs passed"
((failed == 0))
