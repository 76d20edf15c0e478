// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
//go:generate go tool -modfile=../../tools/go.mod schemagen

// Package taskerevents is the receiver tasker_events: applications post Tasker's lifecycle events to it as JSON, and it passes them
// on as log records. internal/wire decodes them; this package has the HTTP server.
//
// Requests are served concurrently. All they share is the decoder, the memory of bodies and the counters, which are safe for that.
package taskerevents
