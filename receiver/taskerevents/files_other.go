// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package taskerevents

// fileLimit returns 0: the limit is unknown on this system.
func fileLimit() int { return 0 }
