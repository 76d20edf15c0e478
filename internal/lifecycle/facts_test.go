// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package lifecycle_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// A record that is made of an event has its whole payload.
func TestEventsOfRecordsHaveNoUnusedPayloadKeys(t *testing.T) {
	for event := range lifecycle.UnusedPayloadKeys() {
		assert.True(t, lifecycle.Defines(event), event)
		for steps := range int64(2) {
			assert.Empty(t, lifecycle.FactOfEvent(event, steps), event)
		}
	}
}

// Each fact is reported by finished spans or by events, never by both.
func TestFactsHaveOneSource(t *testing.T) {
	source := map[string]string{}
	for _, name := range []string{lifecycle.SpanTask, lifecycle.SpanStep, lifecycle.SpanHandler, lifecycle.SpanOrchestration} {
		for _, status := range []lifecycle.Status{lifecycle.StatusSuccess, lifecycle.StatusFailure, lifecycle.StatusCancelled, lifecycle.StatusResolvedManually, ""} {
			if fact := lifecycle.FactOfSpan(name, status); fact != "" {
				assert.Empty(t, source[fact], fact)
				assert.True(t, lifecycle.ReportedBySpan(fact), fact)
				source[fact] = "span"
			}
		}
	}
	for _, event := range lifecycle.Names() {
		if fact := lifecycle.FactOfEvent(event, 0); fact != "" {
			assert.NotEqual(t, "span", source[fact], fact)
			assert.False(t, lifecycle.ReportedBySpan(fact), fact)
			source[fact] = "event"
		}
	}
	assert.Len(t, source, len(lifecycle.Facts()))
	for _, fact := range lifecycle.Facts() {
		assert.NotEmpty(t, source[fact], fact)
	}
	assert.Empty(t, lifecycle.FactOfEvent(lifecycle.TaskStartRequested, 5), "created, not started")
}
