// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package filestorage

import (
	"fmt"
	"runtime/debug"
)

// guard makes an error of a panic in the database, which panics where a page is damaged, and faults where its file was cut.
func guard(err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if value := recover(); value != nil {
			*err = fmt.Errorf("the database broke down: %v", value)
		}
	}
}
