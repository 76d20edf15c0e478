// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"fmt"
	"sync/atomic"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// SheddingConfig sets the number of events in flight from which those of a priority are shed: dropped, counted, and acknowledged.
// Zero means never; critical events are never shed.
type SheddingConfig struct {
	Low    int `mapstructure:"low"`
	Normal int `mapstructure:"normal"`
	High   int `mapstructure:"high"`
}

// check requires that less important events are shed first.
func (c *SheddingConfig) check() []error {
	var mistakes []error
	before, below := 0, ""
	for i, bound := range [...]struct {
		name  string
		value int
	}{{"low", c.Low}, {"normal", c.Normal}, {"high", c.High}} {
		key := configerr.Path("shedding", bound.name)
		switch {
		case bound.value < 0:
			mistakes = append(mistakes, configerr.OrZero(key, bound.value, "for never"))
		case i > 0 && bound.value > 0 && before <= 0:
			mistakes = append(mistakes, configerr.New(key, bound.value, fmt.Sprintf("would shed %s events although %s, for those that matter less, is 0", bound.name, below), "use a number for both"))
		case i > 0 && bound.value > 0 && bound.value < before:
			mistakes = append(mistakes, configerr.New(key, bound.value, fmt.Sprintf("is less than %s, although its events matter more", below), fmt.Sprintf("use %d or more", before)))
		}
		before, below = bound.value, key
	}
	return mistakes
}

// sheddable are the priorities that may be shed, the least important first.
var sheddable = [...]lifecycle.Priority{lifecycle.PriorityLow, lifecycle.PriorityNormal, lifecycle.PriorityHigh}

// shedder counts the events that the next components are working on.
type shedder struct {
	inFlight atomic.Int64
	// bounds run parallel to sheddable; zero means never.
	bounds [len(sheddable)]int64
}

func newShedder(c SheddingConfig) *shedder {
	return &shedder{bounds: [...]int64{int64(c.Low), int64(c.Normal), int64(c.High)}}
}

// sheds returns which priorities of a new request are shed. Only the events of other requests count: a single request is always
// accepted, however large.
func (s *shedder) sheds() (which [len(sheddable)]bool) {
	busy := s.inFlight.Load()
	for i, bound := range s.bounds {
		which[i] = bound > 0 && busy >= bound
	}
	return which
}

// indexOf returns the index of a priority in sheddable, or -1.
func indexOf(priority lifecycle.Priority) int {
	for i, p := range sheddable {
		if p == priority {
			return i
		}
	}
	return -1
}
