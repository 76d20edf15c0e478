// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Command taskerotel is the operator's command line for Tasker's events: it sends event files to a collector and shows
// tasks in the terminal.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr, os.Getenv}))
}
