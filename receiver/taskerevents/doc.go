// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml
//go:generate go tool schemagen

// Package taskerevents is the receiver tasker_events: applications post Tasker's lifecycle events to it as JSON, and it
// hands them on as log records. Decoding is the work of internal/wire; this package is the HTTP around it.
package taskerevents
