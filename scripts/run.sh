#!/usr/bin/env bash
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# Demonstrates the collector: starts it with config.yaml, prints the address of its live pages, sends sample streams in real
# time (--fast: at once), prints the tree it builds and a few metrics, and leaves it running until Ctrl-C. `make run`
# builds first; `make run FAST=1` passes --fast. Needs nothing but bash and the two binaries.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly streams=tests/streamtest/testdata
readonly log=data/collector.log
readonly health=13133 metrics=8889 pages=8890 zpages=55679
readonly ports="4317:otlp/grpc 4318:otlp/http 4319:tasker_events 8888:own_metrics $metrics:prometheus $health:healthcheckv2 $pages:tasker_pages $zpages:zpages"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# http_get PORT PATH prints the response of localhost, with its headers.
http_get() {
	(
		exec 3<>"/dev/tcp/localhost/$1" || exit 1
		printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "$2" >&3
		cat <&3
	) 2>/dev/null
}

check_ports() {
	local entry port taken=0
	for entry in $ports; do
		port=${entry%%:*}
		if (exec 3<>"/dev/tcp/localhost/$port") 2>/dev/null; then
			echo "Port $port (${entry#*:} in config.yaml) is in use." >&2
			taken=1
		fi
	done
	if ((taken)); then
		echo "Stop what listens there, or give another port in config.yaml. Is a collector running already?" >&2
		exit 1
	fi
}

# require_alive exits with the collector's status if it is not running.
require_alive() {
	if ! kill -0 "$collector" 2>/dev/null; then
		local status=0
		wait "$collector" || status=$?
		echo >&2
		echo "The collector ended (status $status). The end of $log:" >&2
		tail -n 20 "$log" >&2
		exit $((status == 0 ? 1 : status))
	fi
}

# wait_for SECONDS WHAT COMMAND... repeats the command until it succeeds.
wait_for() {
	local deadline=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		require_alive
		if ((SECONDS >= deadline)); then
			echo "No $what after waiting; see $log." >&2
			exit 1
		fi
		sleep 0.2
	done
}

healthy() { [[ "$(http_get $health /health/status | head -n 1)" == *" 200 "* ]]; }

scrape() { http_get $metrics /metrics | grep '^tasker_'; }

counted() { scrape >data/metrics.txt && grep -q '^tasker_task_executions_total' data/metrics.txt; }

stop_collector() {
	trap '' INT TERM # a second Ctrl-C does not interrupt the shutdown
	if kill -TERM "$collector" 2>/dev/null; then
		say "Stopping: what is open is flushed first."
	fi
	local status=0
	wait "$collector" || status=$?
	rm -f data/sample.ndjson data/metrics.txt
	return "$status"
}

for binary in bin/otelcol-tasker bin/taskerotel; do
	if [[ ! -x $binary ]]; then
		echo "$binary is not built: run make build." >&2
		exit 1
	fi
done
pace=(--pace 1)
case ${1:-} in
'') ;;
--fast) pace=() ;;
*)
	echo "usage: scripts/run.sh [--fast]" >&2
	exit 2
	;;
esac
check_ports
mkdir -p data

say "Starting bin/otelcol-tasker --config config.yaml (log: $log)"
bin/otelcol-tasker --config config.yaml >"$log" 2>&1 &
collector=$!
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'stop_collector || true' EXIT
wait_for 30 "healthy collector" healthy

say "Look at http://localhost:$pages in a browser: the tasks, as they run"

say "Sending sample streams to http://localhost:4319/v1/events${pace:+, as fast as they happened (about 20 s; make run FAST=1 sends them at once)}"
# Complete tasks except task 1, which the first stream of the same application "shop" has too.
grep -vE '"task_id":1[,}]' "$streams/mixed.ndjson" >data/sample.ndjson
bin/taskerotel send "${pace[@]}" "$streams/order_processing.ndjson"
bin/taskerotel send "${pace[@]}" data/sample.ndjson

say "What the first one says: bin/taskerotel tree $streams/order_processing.ndjson"
bin/taskerotel tree "$streams/order_processing.ndjson"

say "A task of the other: bin/taskerotel tree --task 12 $streams/mixed.ndjson"
bin/taskerotel tree --task 12 "$streams/mixed.ndjson"

say "Metrics at http://localhost:$metrics/metrics (the collector waits for late events first)"
wait_for 60 "tasker_task_executions_total at http://localhost:$metrics/metrics" counted
echo "(some of them, without the labels instance and otel_scope_*)"
sed -nE '/^tasker_tasks_active.* 0$/d
/^tasker_(task_executions_total|task_duration_seconds_sum|step_retries_total|tasks_active)/ {
	s/(instance|otel_scope_[a-z_]+)="[^"]*",?//g
	p
}' data/metrics.txt

# From here on Ctrl-C ends the script successfully. The handler stops the collector itself: a signal that arrives
# before the wait below would otherwise be lost.
interrupted=0
trap 'interrupted=1; kill -TERM "$collector" 2>/dev/null || true' INT TERM

say "Running."
echo "  live pages  http://localhost:$pages
  events in   http://localhost:4319/v1/events (JSON), localhost:4317 and :4318 (OTLP)
  metrics     http://localhost:$metrics/metrics
  table       data/tasker-metrics.csv
  log         $log
  health      http://localhost:$health/health/status
  more        bin/taskerotel demo plays days of workflows, with an outage in each
  stop        Ctrl-C"

status=0
wait "$collector" || status=$?
trap - EXIT
if ((interrupted)); then
	stop_collector && exit 0
	exit $?
fi
echo "The collector ended by itself (status $status). The end of $log:" >&2
tail -n 20 "$log" >&2
exit "$status"
