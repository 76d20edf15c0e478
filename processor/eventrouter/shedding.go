// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrouter

import (
	"fmt"
	"sync/atomic"

	"github.com/tasker-otel/otelcol-tasker/internal/configerr"
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
