// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package records

import (
	"fmt"
	"math"

	"github.com/tasker-otel/otelcol-tasker/internal/journal/fields"
)

func readValue(data []byte) (v Value, err error) {
	err = fields.Read(data, func(f *fields.Field) (err error) {
		switch f.Number {
		case valueTouched:
			v.Touched = f.Int()
		case valuePending:
			v.Pending = f.Int() != 0
		case valueReported:
			v.Reported = f.Int() != 0
		case valueCount:
			v.Count = f.Bits
		case valueHigh:
			v.High = f.Bits
		case valueLow:
			v.Low = f.Bits
		case valueLevel:
			v.Level = f.Int()
		case valueMin:
			v.Min = f.Int()
		case valueMax:
			v.Max = f.Int()
		case valueBuckets:
			v.Buckets, err = f.Numbers()
		case valueExponential:
			v.Exponential, err = readExponential(f.Data)
		case valueExemplar:
			var exemplar Exemplar
			exemplar, err = readExemplar(f.Data)
			v.Exemplars = append(v.Exemplars, exemplar)
		}
		return err
	})
	return v, err
}

func readExponential(data []byte) (*Exponential, error) {
	x := new(Exponential)
	err := fields.Read(data, func(f *fields.Field) (err error) {
		switch f.Number {
		case exponentialScale:
			x.Scale, err = small(f)
		case exponentialOffset:
			x.Offset, err = small(f)
		case exponentialZeroCount:
			x.ZeroCount = f.Bits
		case exponentialCounts:
			x.Counts, err = f.Numbers()
		}
		return err
	})
	return x, err
}

func small(f *fields.Field) (int32, error) {
	value := f.Int()
	if value < math.MinInt32 || value > math.MaxInt32 {
		return 0, fmt.Errorf("the entry has number %d, which exceeds 32 bits", value)
	}
	return int32(value), nil
}

func readExemplar(data []byte) (e Exemplar, err error) {
	err = fields.Read(data, func(f *fields.Field) error {
		switch f.Number {
		case exemplarValue:
			e.Value = f.Int()
		case exemplarAt:
			e.At = f.Int()
		case exemplarTrace:
			return id(e.Trace[:], f.Data)
		case exemplarSpan:
			return id(e.Span[:], f.Data)
		}
		return nil
	})
	return e, err
}

// id copies an ID of a fixed size.
func id(to, from []byte) error {
	if len(to) != len(from) {
		return fmt.Errorf("the entry has an id of %d bytes instead of %d", len(from), len(to))
	}
	copy(to, from)
	return nil
}
