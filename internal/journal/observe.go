// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"

	"go.opentelemetry.io/otel/metric"
)

// Observer reads numbers of a journal for a component's own metrics, whenever these are asked for. While there is no
// journal, which of returns as nil, there are no numbers: so one who looks sees that nothing is kept.
type Observer struct {
	of func() *Journal
}

// Observe makes an observer. The function is called from other goroutines.
func Observe(of func() *Journal) Observer { return Observer{of} }

// Int observes one number.
func (o Observer) Int(pick func(Stats) int64) metric.Int64Callback {
	return func(_ context.Context, to metric.Int64Observer) error {
		if j := o.of(); j != nil {
			to.Observe(pick(j.Stats()))
		}
		return nil
	}
}

// Bytes is the size of what is stored.
func (o Observer) Bytes() metric.Int64Callback {
	return o.Int(func(s Stats) int64 { return s.Bytes })
}

// Commits is how many writes there were.
func (o Observer) Commits() metric.Int64Callback {
	return o.Int(func(s Stats) int64 { return int64(s.Commits) })
}

// Failures is how many writes failed.
func (o Observer) Failures() metric.Int64Callback {
	return o.Int(func(s Stats) int64 { return int64(s.Failures) })
}

// SetAside is how many segments could not be read.
func (o Observer) SetAside() metric.Int64Callback {
	return o.Int(func(s Stats) int64 { return int64(s.SetAside) })
}

// Waiting is how many bytes no write has taken yet. They are of requests that are not acknowledged yet.
func (o Observer) Waiting() metric.Int64Callback {
	return o.Int(func(s Stats) int64 { return int64(s.Waiting) })
}

// Failing is 1 while the latest write has failed, else 0.
func (o Observer) Failing() metric.Int64Callback {
	return o.Int(func(s Stats) int64 {
		if s.LastError != nil {
			return 1
		}
		return 0
	})
}

// LastCommit is when the latest write succeeded, in Unix time; nothing before the first.
func (o Observer) LastCommit() metric.Float64Callback {
	return func(_ context.Context, to metric.Float64Observer) error {
		if j := o.of(); j != nil {
			if at := j.Stats().LastCommit; !at.IsZero() {
				to.Observe(float64(at.UnixNano()) / 1e9)
			}
		}
		return nil
	}
}
