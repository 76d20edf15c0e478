// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package records

import "github.com/tasker-otel/otelcol-tasker/internal/journal/fields"

// Read applies the changes of an entry in order, up to the first one that is malformed.
func Read(entry []byte, handler Handler) error {
	r := reader{to: handler}
	return fields.Read(entry, r.change)
}

// reader applies changes. It reuses its scratch messages.
type reader struct {
	to Handler
	// made holds the application and metric of the following series; the others are the time of the following changes and
	// their series.
	made Series
	now  Instant
	of   uint64
}

func (r *reader) change(f *fields.Field) error {
	switch f.Number {
	case changeTime:
		return r.time(f.Data)
	case changeApplication:
		return r.application(f.Data)
	case changeMetric:
		return r.metric(f.Data)
	case changeSeries:
		return r.series(f.Data)
	case changeOf:
		r.of = f.Bits
	case changeCount:
		r.to.Count(r.of, f.Bits)
	case changeObserve:
		r.to.Observe(r.of, f.Int())
	case changeExemplar:
		exemplar, err := readExemplar(f.Data)
		if err != nil {
			return err
		}
		r.to.Exemplar(r.of, exemplar)
	case changeSet:
		return r.set(f.Data)
	case changeValue:
		value, err := readValue(f.Data)
		if err != nil {
			return err
		}
		r.to.Value(r.of, value)
	case changeSeenSpan:
		r.to.Seen(Spans, f.Bits)
	case changeSeenEvent:
		r.to.Seen(Events, f.Bits)
	case changeStarted:
		r.to.Started(r.of, f.Int())
	case changeActiveTask, changeActiveStep, changeForgetTask, changeForgetStep:
		return r.active(f)
	case changeCollect:
		r.to.Collect(f.Int())
	case changeAccept:
		r.to.Accept()
	case changeRestore:
		r.to.Restore()
	case changeAccepted:
		r.to.Accepted(f.Int())
	case changeIdentity:
		return r.identity(f.Data)
	}
	return nil
}

func (r *reader) time(data []byte) error {
	r.now = Instant{}
	err := fields.Read(data, func(f *fields.Field) error {
		switch f.Number {
		case timeWall:
			r.now.Wall = f.Int()
		case timeRunning:
			r.now.Running = f.Int()
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.to.Time(r.now)
	return nil
}

func (r *reader) application(data []byte) error {
	r.made.Namespace, r.made.Service, r.made.OverflowApplication = "", "", false
	return fields.Read(data, func(f *fields.Field) error {
		switch f.Number {
		case applicationNamespace:
			r.made.Namespace = string(f.Data)
		case applicationService:
			r.made.Service = string(f.Data)
		case applicationOverflow:
			r.made.OverflowApplication = f.Int() != 0
		}
		return nil
	})
}

func (r *reader) metric(data []byte) error {
	r.made.Metric, r.made.Shape = "", 0
	return fields.Read(data, func(f *fields.Field) error {
		switch f.Number {
		case metricName:
			r.made.Metric = string(f.Data)
		case metricShape:
			r.made.Shape = f.Bits
		}
		return nil
	})
}

func (r *reader) series(data []byte) error {
	s := r.made
	err := fields.Read(data, func(f *fields.Field) error {
		switch f.Number {
		case seriesID:
			s.ID = f.Bits
		case seriesStarted:
			s.Started = f.Int()
		case seriesKey:
			s.Key = string(f.Data)
		case seriesName:
			s.Names = append(s.Names, string(f.Data))
		case seriesOverflow:
			s.Overflow = f.Int() != 0
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.of = s.ID
	r.to.Series(s)
	return nil
}

func (r *reader) set(data []byte) error {
	var value, at int64
	err := fields.Read(data, func(f *fields.Field) error {
		switch f.Number {
		case setValue:
			value = f.Int()
		case setAt:
			at = f.Int()
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.to.Set(r.of, value, at)
	return nil
}

func (r *reader) identity(data []byte) error {
	var identity Identity
	err := fields.Read(data, func(f *fields.Field) error {
		switch f.Number {
		case identityInstance:
			identity.Instance = string(f.Data)
		case identityDelta:
			identity.Delta = f.Int() != 0
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.to.Identity(identity)
	return nil
}
