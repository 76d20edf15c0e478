// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the built collector as operators run it: the binary with config.yaml, real streams sent over HTTP and
// gRPC, spans taken by a real OTLP server, metrics scraped and parsed.
//
// The binary is built once for a run of the tests, and so is the command line. TASKER_BIN and TASKER_CLI name those that are
// built already. TASKER_PEERS=1 also runs the tests that need a peer's program.
//
// Most tests wait for windows and timeouts to pass, and so run beside one another: -parallel may be several times the number
// of cores. One that measures the collector's memory, or holds thousands of connections, is alone.
package e2e
