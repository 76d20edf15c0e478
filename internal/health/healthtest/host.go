// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package healthtest provides a host that records the status that components report.
package healthtest

import (
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// Host records the reported status and delegates everything else.
type Host struct {
	component.Host
	mu     sync.Mutex
	events []*componentstatus.Event
}

var _ componentstatus.Reporter = (*Host)(nil)

// Report records an event.
func (h *Host) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event)
}

// Reported returns the reports so far: "ok", or the text of the error.
func (h *Host) Reported() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var texts []string
	for _, event := range h.events {
		switch event.Status() {
		case componentstatus.StatusOK:
			texts = append(texts, "ok")
		case componentstatus.StatusRecoverableError:
			texts = append(texts, event.Err().Error())
		default:
			texts = append(texts, event.Status().String())
		}
	}
	return texts
}
