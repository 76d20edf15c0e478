// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package taskerevents

import "golang.org/x/sys/unix"

// fileLimit returns how many files and connections the process may have, or 0 if unknown. The Go runtime has raised the soft limit
// to the hard limit.
func fileLimit() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil || limit.Cur > 1<<30 {
		return 0
	}
	return int(limit.Cur)
}
