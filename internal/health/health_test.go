// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package health_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/tasker-otel/otelcol-tasker/internal/health"
	"github.com/tasker-otel/otelcol-tasker/internal/health/healthtest"
)

func TestStatus(t *testing.T) {
	host := &healthtest.Host{Host: componenttest.NewNopHost()}
	s := health.New(host)
	full, away := errors.New("the disk is full"), errors.New("the backend is away")

	s.Set("storage", nil)
	assert.Empty(t, host.Reported(), "the collector itself says that what was started is well")

	s.Set("storage", full)
	s.Set("storage", errors.New("the disk is still full"))
	s.Set("next", away)
	s.Set("storage", nil)
	s.Set("storage", nil)
	s.Set("next", nil)
	assert.Equal(t, []string{
		"the disk is full",
		"the disk is full\nthe backend is away",
		"the backend is away",
		"ok",
	}, host.Reported(), "well only when nothing fails any more, and no report without a change")

	s.Stop()
	s.Set("next", away)
	assert.Len(t, host.Reported(), 4, "a component that stops reports nothing")
}

func TestNoStatus(*testing.T) {
	var s *health.Status
	s.Set("next", errors.New("away"))
	s.Stop()
	health.New(componenttest.NewNopHost()).Set("next", errors.New("away")) // a host that does not implement componentstatus.Reporter
}
