// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !windows

package fsfile

import (
	"errors"
	"os"
)

// SyncDirectory makes a rename in the directory durable across a power loss.
func SyncDirectory(name string) error {
	directory, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
