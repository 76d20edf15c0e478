// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package ownmetrics

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Exporter is the state of an exporter for a signal, from exporterhelper's metrics.
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
	// LastSuccess and LastFailure are zero in distributions that do not record them.
	LastSuccess time.Time `json:"last_success,omitzero"`
	LastFailure time.Time `json:"last_failure,omitzero"`
}

// signals are the signals by the ends of metric names.
var signals = map[string]string{"_spans": "traces", "_log_records": "logs", "_metric_points": "metrics"}

// Exporters returns the exporters that have been active, by name and signal.
func Exporters(all []Series) []Exporter {
	var list []Exporter
	for _, s := range all {
		metric, found := strings.CutPrefix(strings.TrimSuffix(s.Name, "_seconds"), "exporter_")
		if !found || s.Labels["exporter"] == "" {
			continue
		}
		signal := s.Labels["data_type"]
		for end, of := range signals {
			if strings.HasSuffix(metric, end) {
				signal = of
			}
		}
		i := slices.IndexFunc(list, func(e Exporter) bool { return e.Exporter == s.Labels["exporter"] && e.Signal == signal })
		if i < 0 {
			i = len(list)
			list = append(list, Exporter{Exporter: s.Labels["exporter"], Signal: signal})
		}
		list[i].set(metric, s.Value)
	}
	slices.SortFunc(list, func(a, b Exporter) int {
		return cmp.Or(cmp.Compare(a.Exporter, b.Exporter), cmp.Compare(a.Signal, b.Signal))
	})
	return list
}

func (e *Exporter) set(metric string, value float64) {
	switch {
	case strings.HasPrefix(metric, "sent_"):
		e.Sent += int64(value)
	case strings.HasPrefix(metric, "send_failed_"), strings.HasPrefix(metric, "enqueue_failed_"):
		e.Failed += int64(value)
	case metric == "queue_size":
		e.QueueSize += int64(value)
	case metric == "queue_capacity":
		e.QueueCapacity += int64(value)
	case metric == "in_flight_requests":
		e.InFlight += int64(value)
	case metric == "last_success":
		e.LastSuccess = Time(value)
	case metric == "last_failure":
		e.LastFailure = Time(value)
	}
}

// Time returns the time that a metric has in Unix seconds.
func Time(seconds float64) time.Time { return time.Unix(0, int64(seconds*1e9)).UTC() }

// FailedLast reports whether the latest outcome is a failure. Without times it requires that the exporter has failed and never
// succeeded.
func (e *Exporter) FailedLast() bool {
	if e.LastFailure.IsZero() {
		return e.Failed > 0 && e.Sent == 0
	}
	return e.LastFailure.After(e.LastSuccess)
}
