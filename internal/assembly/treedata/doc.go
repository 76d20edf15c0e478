// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package treedata is the thin layer between pdata and the packages of the assembler: it reads event spans, event records and
// batches of events into events, and writes trees as spans. It makes no decisions.
//
// A [Reader] and a [Writer] serve one goroutine each.
package treedata
