// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package filestorage

import (
	"fmt"
	"runtime/debug"
)

// guard converts a panic of the database into an error: it panics on damaged pages and faults on a truncated file.
func guard(err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if value := recover(); value != nil {
			*err = fmt.Errorf("the database broke down: %v", value)
		}
	}
}
