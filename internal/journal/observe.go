// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"

	"go.opentelemetry.io/otel/metric"
)

// Observer has callbacks that observe a journal for a component's internal telemetry. Without a journal, when of returns nil, they
// observe nothing.
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

// Bytes observes the size of the stored segments.
func (o Observer) Bytes() metric.Int64Callback {
	return o.Int(func(s Stats) int64 { return s.Bytes })
}

// Commits observes the number of writes.
func (o Observer) Commits() metric.Int64Callback {
	return o.Int(func(s Stats) int64 { return int64(s.Commits) })
}

// Failures observes the number of failed writes.
func (o Observer) Failures() metric.Int64Callback {
	return o.Int(func(s Stats) int64 { return int64(s.Failures) })
}

// SetAside observes the number of unreadable segments.
func (o Observer) SetAside() metric.Int64Callback {
	return o.Int(func(s Stats) int64 { return int64(s.SetAside) })
}

// Waiting observes how many bytes are not written yet. They belong to unacknowledged requests.
func (o Observer) Waiting() metric.Int64Callback {
	return o.Int(func(s Stats) int64 { return int64(s.Waiting) })
}

// Failing observes 1 if the latest write failed, else 0.
func (o Observer) Failing() metric.Int64Callback {
	return o.Int(func(s Stats) int64 {
		if s.LastError != nil {
			return 1
		}
		return 0
	})
}

// LastCommit observes when the latest write succeeded, in Unix time; nothing before the first.
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
