// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package routedevents

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

// makeSafe removes control characters from every string of a map, keys included: a record may be printed unchanged, and a line feed
// in a name would forge the next line of the log.
func makeSafe(attrs pcommon.Map) {
	var unsafe []string
	for key, value := range attrs.All() {
		if printable.Value(key) != key {
			unsafe = append(unsafe, key)
		}
		makeValueSafe(value)
	}
	for _, key := range unsafe {
		value, _ := attrs.Get(key)
		kept := pcommon.NewValueEmpty()
		value.CopyTo(kept)
		attrs.Remove(key)
		kept.CopyTo(attrs.PutEmpty(printable.Value(key)))
	}
}

func makeValueSafe(value pcommon.Value) {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		if text := value.Str(); printable.Value(text) != text {
			value.SetStr(printable.Value(text))
		}
	case pcommon.ValueTypeMap:
		makeSafe(value.Map())
	case pcommon.ValueTypeSlice:
		for _, element := range value.Slice().All() {
			makeValueSafe(element)
		}
	}
}
