// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package spanhierarchy is the processor span_hierarchy. It takes the event spans of Tasker tasks and emits, once a task
// has ended, its tree of five levels. Other spans pass untouched. What a tree looks like and when it is released is
// decided in internal/assembly; here is only the plumbing: shards, the loop that releases, and the way downstream.
package spanhierarchy

//go:generate go tool mdatagen metadata.yaml
//go:generate go tool schemagen
