// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package taskerevents

// fileLimit is not known here.
func fileLimit() int { return 0 }
