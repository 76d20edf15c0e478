// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package otlplimits

// files is not available where the system does not report how long a connection has been silent.
type files struct{}

func newFiles() (*files, error) { return nil, nil } //nolint:nilnil // nothing to watch

func (*files) close() error { return nil }

func (*files) closeSilent(int) (closed int, err error) { return 0, nil }

func limitOfFiles() int { return 0 }
