// Package e2e tests the built collector as operators run it: the binary with config.yaml, real streams sent over HTTP and
// gRPC, spans taken by a real OTLP server, metrics scraped and parsed.
//
// The binary is built once for a run of the tests. TASKER_BIN names one that is built already. TASKER_PEERS=1 also runs
// the tests that need a peer's program.
package e2e
