// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package health reports to the collector, and so to its health check, whether a component can do its work.
//
// A component owns its Status, which may be used concurrently.
package health

import (
	"errors"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// Status reports a recoverable error while anything that a component depends on fails, and that it is well again when
// nothing does. It is safe for concurrent use, and a nil Status reports nothing.
type Status struct {
	mu      sync.Mutex
	host    component.Host
	failing []failure // the longest first
}

type failure struct {
	what any
	err  error
}

// New returns the status of the component that was started with a host.
func New(host component.Host) *Status { return &Status{host: host} }

// Set records a dependency's error; nil clears it. The same state is not reported twice, so it may be called at each attempt.
func (s *Status) Set(what any, err error) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known := slices.IndexFunc(s.failing, func(f failure) bool { return f.what == what })
	if s.host == nil || (known >= 0) == (err != nil) {
		return
	}
	if err != nil {
		s.failing = append(s.failing, failure{what, err})
	} else {
		s.failing = slices.Delete(s.failing, known, known+1)
	}
	s.report()
}

func (s *Status) report() {
	if len(s.failing) == 0 {
		componentstatus.ReportStatus(s.host, componentstatus.NewEvent(componentstatus.StatusOK))
		return
	}
	errs := make([]error, len(s.failing))
	for i, f := range s.failing {
		errs[i] = f.err
	}
	componentstatus.ReportStatus(s.host, componentstatus.NewRecoverableErrorEvent(errors.Join(errs...)))
}

// Stop ends the reports: the collector says itself of a component that it stops.
func (s *Status) Stop() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.host = nil
}
