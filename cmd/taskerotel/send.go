// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/send"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/terminal"
	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

func newSend(s streams) *cobra.Command {
	settings := send.DefaultSettings()
	var headers []string
	cmd := &cobra.Command{
		Use:   "send FILE…",
		Short: "Post event files to a collector",
		Long: `send posts the events of files to the tasker_events receiver of a collector. A file is NDJSON, or JSON objects and
arrays, plain, gzip or zstd; - is standard input. Files are sent while they are read, so they may be of any size.

After a response of an overloaded receiver it waits for Retry-After, up to --max-retry-after; a collector that cannot be
reached, or a failing gateway in front of it, is retried with exponential backoff. When a batch has exhausted its
retries, or the endpoint or the credentials are wrong, sending stops. Batches are sent when they are full or when the
input ends.

Ctrl-C waits for pending requests and prints what was sent; a second Ctrl-C exits immediately. Sending a file again
is safe: the collector detects duplicates.

Refused events are listed by file and line, with the reason and the remedy. Exit status: 0 if all events were accepted,
1 if some were refused or not delivered, 2 for a mistake in the command line.`,
		Example: `  taskerotel send events.ndjson
  taskerotel send --compression gzip --concurrency 8 archive/*.ndjson.gz
  taskerotel send --pace 1 recording.ndjson
  zcat old.gz | taskerotel send --endpoint https://tasker.example.com/v1/events --header "Authorization=Bearer $TOKEN" -`,
		Args: someFiles,
		RunE: func(cmd *cobra.Command, files []string) error {
			var err error
			if settings.Header, err = parseHeaders(headers); err != nil {
				return usageError{err}
			}
			return sendFiles(cmd.Context(), s, settings, files)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&settings.Endpoint, "endpoint", settings.Endpoint, "the receiver's `URL`, path included")
	flags.IntVar(&settings.BatchSize, "batch-size", settings.BatchSize, "events in a request")
	flags.IntVar(&settings.Concurrency, "concurrency", settings.Concurrency, "concurrent requests")
	flags.StringVar(&settings.Compression, "compression", settings.Compression, "none or gzip")
	flags.StringArrayVar(&headers, "header", nil, "a `key=value` to send with every request; may be repeated")
	registerTLS(flags, &settings.TLS)
	flags.DurationVar(&settings.Timeout, "timeout", settings.Timeout, "the time limit of one request")
	flags.DurationVar(&settings.MaxRetryAfter, "max-retry-after", settings.MaxRetryAfter, "the longest wait for a receiver's Retry-After")
	flags.IntVar(&settings.Retries, "retries", settings.Retries, "how often a batch is retried")
	flags.Float64Var(&settings.Pace, "pace", 0, "replay a recording with current times, so many `times` as fast as it happened; 0 sends it unchanged, as fast as the receiver accepts")
	flags.IntVar(&settings.ShownRefusals, "show-refused", settings.ShownRefusals, "how many refused events to list")
	return cmd
}

// parseHeaders does not quote values in errors, because they may be secrets.
func parseHeaders(pairs []string) (http.Header, error) {
	header := http.Header{}
	for _, pair := range pairs {
		key, value, found := strings.Cut(pair, "=")
		if key = strings.TrimSpace(key); !found || key == "" {
			return nil, fmt.Errorf(`--header: write each one as key=value, such as "X-Scope-OrgID=shop"`)
		}
		header.Add(key, strings.TrimSpace(value))
	}
	return header, nil
}

func sendFiles(ctx context.Context, s streams, settings send.Settings, files []string) error {
	poster, err := send.New(settings)
	if err != nil {
		return usageError{err}
	}
	source := eventfile.NewSource(files, s.in)
	if err := source.Check(); err != nil {
		return usageError{err}
	}
	silence := showProgress(ctx, s, poster)
	summary := poster.Send(ctx, source)
	silence()
	if err := summary.Write(s.out); err != nil {
		return err
	}
	if !summary.Complete() {
		return errFailed
	}
	return nil
}

// progressInterval is the interval of progress updates.
const progressInterval = 200 * time.Millisecond

// showProgress updates a progress line on a terminal until silence is called. Otherwise it shows nothing.
func showProgress(ctx context.Context, s streams, poster *send.Sender) (silence func()) {
	if !terminal.Is(s.err) {
		return func() {}
	}
	quit := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		ticker := time.NewTicker(progressInterval)
		defer ticker.Stop()
		started := time.Now()
		interrupted := ctx.Done()
		for {
			select {
			case <-quit:
				fmt.Fprint(s.err, "\r\x1b[K") //nolint:errcheck // only a progress
				return
			case <-interrupted:
				interrupted = nil
				fmt.Fprint(s.err, "\r\x1b[Kwaiting for pending requests; Ctrl-C again exits immediately\n") //nolint:errcheck // only a progress
			case <-ticker.C:
				text := progressText(poster.Progress(), time.Since(started))
				fmt.Fprint(s.err, "\r\x1b[K"+terminal.Truncate(text, terminal.Columns(s.err, 80)-1, "…")) //nolint:errcheck // only a progress
			}
		}
	})
	return func() {
		close(quit)
		done.Wait()
	}
}

func progressText(p send.Progress, took time.Duration) string {
	text := fmt.Sprintf("%d accepted, %.0f/s", p.Accepted, float64(p.Accepted)/max(took.Seconds(), 1e-3))
	if p.Refused > 0 {
		text += fmt.Sprintf(", %d refused", p.Refused)
	}
	if p.Undelivered > 0 {
		text += fmt.Sprintf(", %d not delivered", p.Undelivered)
	}
	if p.Retries > 0 {
		text += fmt.Sprintf(", %d retries: %s", p.Retries, printable.Line(p.LastProblem))
	}
	return text
}
