// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package spanhierarchy is the processor span_hierarchy. It takes the event spans of Tasker tasks and emits their trees of five
// levels: each span as soon as it is settled, or each tree when its task has ended. Other spans pass untouched. What a tree looks
// like and when a span is settled is decided in internal/assembly; here are the shards, the loops that emit and hand on, and the
// storage.
//
// A shard owns an assembler: its lock serializes the requests, the loop of the shard and the pages, which may all call it
// concurrently. The batches on their way to the next component belong to the loop alone.
package spanhierarchy

//go:generate go tool mdatagen metadata.yaml
//go:generate go tool schemagen
