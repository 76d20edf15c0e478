// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !windows

package fsfile

import "syscall"

// flags keep an opening from following a symbolic link and from waiting for the other end of a pipe.
const flags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
