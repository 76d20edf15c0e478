// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package spanhierarchy is the processor span_hierarchy. It takes the event spans of Tasker tasks and emits their trees of five
// levels: each span as soon as it is settled, or each tree when its task has ended. Other spans pass unchanged. internal/assembly
// decides what a tree contains and when a span is settled; this package has the shards, the loops that emit and pass on, and the
// storage.
//
// A shard owns an assembler: its lock serializes the requests, the loop of the shard and the pages, which may all call it
// concurrently. Batches in transit to the next component belong to the loop alone.
package spanhierarchy

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
//go:generate go tool -modfile=../../tools/go.mod schemagen
