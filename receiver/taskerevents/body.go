// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package taskerevents

import (
	"errors"
	"net/http"
)

// tooLarge returns the limit that a body exceeded, if that is the error.
func tooLarge(err error) (limit int64, ok bool) {
	var cut *http.MaxBytesError
	if errors.As(err, &cut) {
		return cut.Limit, true
	}
	return 0, false
}
