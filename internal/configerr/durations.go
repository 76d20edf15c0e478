// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package configerr finds durations in a configuration that were written without a unit.
package configerr

import (
	"fmt"
	"time"
)

// least is below all that anybody means.
const least = time.Millisecond

// CheckUnit is an error for a duration that was written as a mere number: YAML's 15 is read as 15 nanoseconds, which is no
// error to the collector. The key is as it is to stand in the message, with its quotes.
func CheckUnit(key string, value time.Duration, example string) error {
	if value <= 0 || value >= least {
		return nil
	}
	return fmt.Errorf("%s is %v, as a number without a unit is nanoseconds: write the unit, such as %s", key, value, example)
}
