// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml
//go:generate go tool -modfile=../../tools/go.mod schemagen

// Package taskercsv is the exporter tasker_csv. It writes metrics as a table with the latest value of every series,
// replaced as a whole, and appends spans and log records as rows. Readers never see part of a snapshot or of a row.
//
// The exporter of a signal owns its file, using a lock of internal/fsfile, and has one mutex that serializes batches. The
// table of metrics is in internal/csvtable, the files are in internal/rowfile.
package taskercsv
