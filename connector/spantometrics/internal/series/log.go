// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"github.com/tasker-otel/otelcol-tasker/connector/spantometrics/internal/records"
)

// SetLog makes the registry write every change to a log. Entries are passed on with the registry's mutex held.
func (r *Registry) SetLog(log *records.Log) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = log
}

// Written returns the number of bytes written to the log.
func (r *Registry) Written() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Written()
}

// logSeries writes a new series.
func (r *Registry) logSeries(s *series) {
	if r.log != nil {
		r.writeSeries(r.log, s)
	}
}

func (r *Registry) writeSeries(log *records.Log, s *series) {
	made := records.Series{
		ID: s.id, Started: s.started,
		Namespace: s.app.namespace, Service: s.app.service, OverflowApplication: s.app.overflow,
		Metric: r.definitions[s.metric].Name, Shape: r.shapes[s.metric],
		Key: s.storedKey(), Overflow: s.isOverflow(),
	}
	for _, label := range s.labels {
		made.Names = append(made.Names, label.Name)
	}
	log.Series(&made)
}
