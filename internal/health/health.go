// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package health reports a component's status to the collector, and thereby to its health check.
//
// A [Status] belongs to a component, and may be called concurrently by its parts.
package health

import (
	"errors"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// Status reports a recoverable error while any dependency of a component fails, and OK when none does. It is safe for
// concurrent use. A nil Status reports nothing.
type Status struct {
	mu      sync.Mutex
	host    component.Host
	failing []failure // longest-failing first
}

type failure struct {
	what any
	err  error
}

// New makes the status of a component started with host.
func New(host component.Host) *Status { return &Status{host: host} }

// Set records a dependency's error; nil clears it. Repeating a state reports nothing, so it may be called at every attempt.
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

// Stop ends reporting. The collector itself reports that a component stops.
func (s *Status) Stop() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.host = nil
}
