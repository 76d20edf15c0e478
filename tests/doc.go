// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the built collector as operators run it: the binary with config.yaml, real streams sent over HTTP and
// gRPC, spans received by a real OTLP server, metrics scraped and parsed.
//
// The binary and the command line are built once per run. TASKER_BIN and TASKER_CLI name existing ones instead.
// TASKER_PEERS=1 also runs the tests that need other programs.
//
// Most tests wait for windows and timeouts and run in parallel: -parallel may be several times the number of cores. Tests
// that measure the collector's memory, or hold thousands of connections, run alone.
package e2e
