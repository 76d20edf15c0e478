// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Command taskerotel is the command line for Tasker's events: it sends event files to a collector, shows tasks in the
// terminal and exports metrics.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process immediately
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr, os.Getenv}))
}
