// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml
//go:generate go tool schemagen

// Package taskercsv is the exporter tasker_csv: metrics as a table with the latest value of every series, which is replaced as a
// whole, and spans and log records as rows that are appended. A reader never sees a part of a snapshot or of a row.
//
// The exporter of a signal owns its file, with internal/fsfile/filelock, and has one mutex, under which batches are written one
// after the other. The table of metrics is internal/csvtable, the files are internal/rowfile.
package taskercsv
