// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import "context"

// isolate does nothing, as network namespaces require Linux.
func isolate(context.Context) (code int, done bool) { return 0, false }

func loopbackUp() error { return nil }
