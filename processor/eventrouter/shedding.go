// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"fmt"
	"sync/atomic"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// SheddingConfig says from how many events in flight on those of a priority are shed: dropped, counted, and answered as
// taken. Zero is never, and critical ones never are.
type SheddingConfig struct {
	Low    int `mapstructure:"low"`
	Normal int `mapstructure:"normal"`
	High   int `mapstructure:"high"`
}

// check wants the less important to be shed first.
func (c *SheddingConfig) check() []error {
	var errs []error
	before, name := 0, ""
	for i, bound := range [...]struct {
		name  string
		value int
	}{{"low", c.Low}, {"normal", c.Normal}, {"high", c.High}} {
		switch {
		case bound.value < 0:
			errs = append(errs, fmt.Errorf("shedding.%s: %d is no number of events: use 0 for never", bound.name, bound.value))
		case i > 0 && bound.value > 0 && before <= 0:
			errs = append(errs, fmt.Errorf("shedding.%s: %d would shed %s events, but shedding.%s is 0, which keeps those that matter less: set it too",
				bound.name, bound.value, bound.name, name))
		case i > 0 && bound.value > 0 && bound.value < before:
			errs = append(errs, fmt.Errorf("shedding.%s: %d is below shedding.%s, %d: events that matter less are shed first",
				bound.name, bound.value, name, before))
		}
		before, name = bound.value, bound.name
	}
	return errs
}

// sheddable are the priorities that may be shed, the least important first.
var sheddable = [...]lifecycle.Priority{lifecycle.PriorityLow, lifecycle.PriorityNormal, lifecycle.PriorityHigh}

// shedder knows how many events the components behind are working on.
type shedder struct {
	inFlight atomic.Int64
	// bounds run parallel to sheddable; zero is never.
	bounds [len(sheddable)]int64
}

func newShedder(c SheddingConfig) *shedder {
	return &shedder{bounds: [...]int64{int64(c.Low), int64(c.Normal), int64(c.High)}}
}

// sheds tells which priorities are shed of a request that comes now. What counts are the events of other requests: one that
// comes alone is always taken, however large.
func (s *shedder) sheds() (which [len(sheddable)]bool) {
	busy := s.inFlight.Load()
	for i, bound := range s.bounds {
		which[i] = bound > 0 && busy >= bound
	}
	return which
}

// indexOf is the place of a priority in sheddable, or -1.
func indexOf(priority lifecycle.Priority) int {
	for i, p := range sheddable {
		if p == priority {
			return i
		}
	}
	return -1
}
