// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"context"
	"fmt"
	"time"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/scrape"
	"github.com/tasker-otel/otelcol-tasker/internal/ownmetrics"
)

// Exporter is the state of an exporter for a signal.
type Exporter struct {
	ownmetrics.Exporter
	// Failing is true if it has failed since its last success, or has something to send and sends nothing. Problem
	// describes which.
	Failing bool   `json:"failing"`
	Problem string `json:"problem,omitempty"`
}

// silentFor is how long an exporter with queued data may send nothing before it is read a second time.
const silentFor = time.Minute

func (e *Exporter) waiting() int64 { return max(e.QueueSize, e.InFlight) }

// silent reports whether there was something to send, and nothing was sent for long.
func (e *Exporter) silent(now time.Time, started time.Time) bool {
	since := started
	if !e.LastSuccess.IsZero() {
		since = e.LastSuccess
	}
	return e.waiting() > 0 && now.Sub(since) > silentFor
}

// readExporters evaluates the exporters of a reading. An exporter that retries forever counts no failure. Since its data
// may also have been queued just now, a second reading is needed.
func readExporters(ctx context.Context, client *scrape.Client, settings Settings, first *own) ([]Exporter, error) {
	all := []Exporter{}
	for _, e := range ownmetrics.Exporters(first.series) {
		all = append(all, Exporter{Exporter: e})
	}
	uptime, _ := first.value("process_uptime")
	started := first.at.Add(-time.Duration(uptime * float64(time.Second)))
	var silent []int
	for i := range all {
		e := &all[i]
		switch {
		case e.FailedLast():
			e.Failing = true
			e.Problem = fmt.Sprintf("%d of %d items were dropped, and nothing has been sent since", e.Failed, e.Failed+e.Sent)
		case e.silent(first.at, started):
			silent = append(silent, i)
		}
	}
	if len(silent) == 0 {
		return all, nil
	}
	if err := wait(ctx, settings.SecondReading); err != nil {
		return nil, err
	}
	second, err := readOwn(ctx, client, settings.Telemetry, settings.Now)
	if err != nil {
		return nil, err
	}
	for _, n := range ownmetrics.Exporters(second.series) {
		now := Exporter{Exporter: n}
		for _, i := range silent {
			if e := &all[i]; n.Exporter == e.Exporter.Exporter && n.Signal == e.Signal && n.Sent == e.Sent && now.waiting() > 0 {
				e.Failing, e.Problem = true, fmt.Sprintf("%d requests are waiting, and nothing has been sent for more than a minute", now.waiting())
			}
		}
	}
	return all, nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return &UnreachableError{ctx.Err()}
	}
}

// FailingExporters returns the failing exporters, by name and signal.
func (s *Status) FailingExporters() []string {
	var names []string
	for _, e := range s.Exporters {
		if e.Failing {
			names = append(names, fmt.Sprintf("%s (%s): %s", e.Exporter.Exporter, e.Signal, e.Problem))
		}
	}
	return names
}
