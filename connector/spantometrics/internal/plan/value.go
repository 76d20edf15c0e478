// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
)

// Ranks of values that are not attributes of the measured item.
const (
	rankUnknown = 0
	// rankAbsent means that there is no value.
	rankAbsent = -1
	// rankText means that the value was derived.
	rankText = -2
)

// value is the value of a field. It is valid as long as the pdata or the batch.
type value struct {
	eventbatch.Value

	rank int
}

// valueOf returns the value of an attribute. A list of lists or maps is a text, which is the same as a label.
func valueOf(attribute pcommon.Value) eventbatch.Value {
	if attribute.Type() == pcommon.ValueTypeSlice {
		for _, element := range attribute.Slice().All() {
			if kind := element.Type(); kind == pcommon.ValueTypeSlice || kind == pcommon.ValueTypeMap {
				return eventbatch.Text(attribute.AsString())
			}
		}
	}
	return eventbatch.ValueOf(attribute)
}

// take takes the value of an attribute with a rank, if no other has a lower one. A key without a value counts as absent.
func (v *value) take(rank int, of eventbatch.Value) {
	if of.Kind != eventbatch.KindNothing && (v.rank == rankUnknown || rank < v.rank) {
		v.Value, v.rank = of, rank
	}
}

func (v *value) found() bool { return v.rank != rankAbsent }

// number returns the value as a number, parsing texts.
func (v *value) number() (float64, bool) {
	switch v.Kind {
	case eventbatch.KindDouble:
		return v.Double(), true
	case eventbatch.KindInt:
		return float64(v.Int()), true
	case eventbatch.KindText:
		number, err := strconv.ParseFloat(v.Text, 64)
		return number, err == nil
	}
	return 0, false
}

// isTrue reports whether the value is the boolean true.
func (v *value) isTrue() bool { return v.Kind == eventbatch.KindBool && v.Bool() }

// scaled multiplies the number. It returns false for what is not a number or exceeds 63 bits.
func (v *value) scaled(factor float64) (int64, bool) {
	number, ok := v.number()
	product := math.Round(number * factor)
	if !ok || !(math.Abs(product) < math.MaxInt64) {
		return 0, false
	}
	return int64(product), true
}
