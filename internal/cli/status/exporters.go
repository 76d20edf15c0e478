// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/tasker-otel/otelcol-tasker/internal/cli/scrape"
	"github.com/tasker-otel/otelcol-tasker/internal/ownmetrics"
)

// Exporter is the state of an exporter for a signal.
type Exporter struct {
	Exporter string `json:"exporter"`
	Signal   string `json:"signal"`
	// Sent and Failed are items since startup. Failed ones were dropped, or rejected by the queue.
	Sent   int64 `json:"sent"`
	Failed int64 `json:"failed"`
	// QueueSize and QueueCapacity are those of its sending queue; InFlight is the number of requests being sent.
	QueueSize     int64 `json:"queue_size"`
	QueueCapacity int64 `json:"queue_capacity"`
	InFlight      int64 `json:"in_flight"`

	LastSuccess *time.Time `json:"last_success,omitempty"`
	LastFailure *time.Time `json:"last_failure,omitempty"`
	// Failing is true if it has failed since its last success, or has something to send and sends nothing. Problem
	// describes which.
	Failing bool   `json:"failing"`
	Problem string `json:"problem,omitempty"`
}

// silentFor is how long an exporter with queued data may send nothing before it is read a second time.
const silentFor = time.Minute

// exporterMetrics are exporterhelper's metrics by name, with the signal if the name has it and the label data_type has not.
var exporterMetrics = []struct {
	name, signal string
	set          func(*Exporter, float64)
}{
	{"sent_spans", "traces", addSent},
	{"sent_log_records", "logs", addSent},
	{"sent_metric_points", "metrics", addSent},
	{"send_failed_spans", "traces", addFailed},
	{"send_failed_log_records", "logs", addFailed},
	{"send_failed_metric_points", "metrics", addFailed},
	{"enqueue_failed_spans", "traces", addFailed},
	{"enqueue_failed_log_records", "logs", addFailed},
	{"enqueue_failed_metric_points", "metrics", addFailed},
	{"queue_size", "", func(e *Exporter, v float64) { e.QueueSize += int64(v) }},
	{"queue_capacity", "", func(e *Exporter, v float64) { e.QueueCapacity += int64(v) }},
	{"in_flight_requests", "", func(e *Exporter, v float64) { e.InFlight += int64(v) }},
	{"last_success", "", func(e *Exporter, v float64) { e.LastSuccess = unixTime(v) }},
	{"last_failure", "", func(e *Exporter, v float64) { e.LastFailure = unixTime(v) }},
}

func addSent(e *Exporter, items float64)   { e.Sent += int64(items) }
func addFailed(e *Exporter, items float64) { e.Failed += int64(items) }

func unixTime(seconds float64) *time.Time {
	at := time.Unix(0, int64(seconds*1e9)).UTC()
	return &at
}

// exporters returns the exporters that have been active, by name and signal.
func (o *own) exporters() []Exporter {
	type key struct{ exporter, signal string }
	all := map[key]*Exporter{}
	for _, metric := range exporterMetrics {
		for _, f := range o.families {
			name := strings.TrimSuffix(ownmetrics.Name(f.GetName()), "_seconds")
			if name != "exporter_"+metric.name {
				continue
			}
			for _, m := range f.Metric {
				of := labels(m)
				k := key{of["exporter"], cmp.Or(metric.signal, of["data_type"])}
				if all[k] == nil {
					all[k] = &Exporter{Exporter: k.exporter, Signal: k.signal}
				}
				metric.set(all[k], number(m))
			}
		}
	}
	list := []Exporter{}
	for _, k := range slices.SortedFunc(maps.Keys(all), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.exporter, b.exporter), cmp.Compare(a.signal, b.signal))
	}) {
		list = append(list, *all[k])
	}
	return list
}

// number returns the value of a counter or a gauge.
func number(m *dto.Metric) float64 {
	return m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
}

func (e *Exporter) waiting() int64 { return max(e.QueueSize, e.InFlight) }

// failedLast reports whether the latest outcome is a failure. Collectors of other distributions lack the times; there it
// requires that an exporter has failed and never succeeded.
func (e *Exporter) failedLast() bool {
	if e.LastFailure == nil {
		return e.Failed > 0 && e.Sent == 0
	}
	return e.LastSuccess == nil || e.LastFailure.After(*e.LastSuccess)
}

// silent reports whether there was something to send, and nothing was sent for long.
func (e *Exporter) silent(now time.Time, started time.Time) bool {
	since := started
	if e.LastSuccess != nil {
		since = *e.LastSuccess
	}
	return e.waiting() > 0 && now.Sub(since) > silentFor
}

// readExporters evaluates the exporters of a reading. An exporter that retries forever counts no failure. Since its data
// may also have been queued just now, a second reading is needed.
func readExporters(ctx context.Context, client *scrape.Client, settings Settings, first *own) ([]Exporter, error) {
	all := first.exporters()
	uptime, _ := first.value("process_uptime")
	started := first.at.Add(-time.Duration(uptime * float64(time.Second)))
	var silent []int
	for i := range all {
		e := &all[i]
		switch {
		case e.failedLast():
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
	now := second.exporters()
	for _, i := range silent {
		e := &all[i]
		if k := slices.IndexFunc(now, func(n Exporter) bool { return n.Exporter == e.Exporter && n.Signal == e.Signal }); k >= 0 &&
			now[k].Sent == e.Sent && now[k].waiting() > 0 {
			e.Failing, e.Problem = true, fmt.Sprintf("%d requests are waiting, and nothing has been sent for more than a minute", now[k].waiting())
		}
	}
	return all, nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
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
			names = append(names, fmt.Sprintf("%s (%s): %s", e.Exporter, e.Signal, e.Problem))
		}
	}
	return names
}
