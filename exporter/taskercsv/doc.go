// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml
//go:generate go tool schemagen

// Package taskercsv exports metrics as a table: one CSV file with the latest value of every series, replaced as a whole.
//
// Who reads the file sees one complete snapshot or another, never a part. The state behind it is in internal/table.
package taskercsv
