// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../tools/go.mod mdatagen metadata.yaml

// Package filestorage is contrib's file_storage with its files checked: before one is opened, and while it is in use. It takes the
// same configuration under the same name, for our components and for the queues of exporters alike.
//
// Each file has a write-ahead log, so that a write costs one append instead of a transaction of the database.
//
// Without the checks a damaged file ends the process at its start, by a panic in a goroutine of the database, and one that was
// emptied or removed is created again silently.
package filestorage
