// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package eventbatch is the form in which many events pass from component to component inside a process: all of them in one string,
// which is the attribute of one log record or span. A record or span of its own for each event, with a list of attributes, costs
// several times as much memory and time.
//
// A batch means the same as its events as records ([Reader.Record]): a component that needs records can make them. What it has of
// an event is the name, the time, the trace id, the identity, the router's decision, and the attributes. The name and the keys of
// the attributes are a [Shape], which is written once a batch. The router's decisions are in a string of their own ([Batch]), so that
// it need not write the events again. Nothing of it is stored.
//
// A [Writer] and a [Reader] belong to one goroutine. Batches and shapes are immutable.
package eventbatch
