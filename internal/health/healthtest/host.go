// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package healthtest has a host that remembers what components report.
package healthtest

import (
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// Host is another host that remembers the status that its component reports.
type Host struct {
	component.Host
	mu     sync.Mutex
	events []*componentstatus.Event
}

var _ componentstatus.Reporter = (*Host)(nil)

// Report remembers an event.
func (h *Host) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, event)
}

// Reported lists what was reported so far: "ok", or the text of the error.
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
