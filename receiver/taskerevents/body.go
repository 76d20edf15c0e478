// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"errors"
	"net/http"
)

// tooLarge is the limit that a body was cut off at, if that is what went wrong.
func tooLarge(err error) (limit int64, ok bool) {
	var cut *http.MaxBytesError
	if errors.As(err, &cut) {
		return cut.Limit, true
	}
	return 0, false
}
