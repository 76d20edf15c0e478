// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrecord

import (
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// exactFloat is the bound below which every integer has a float64 of its own.
const exactFloat = 1 << 53

// TaskID is the text form of the task's id, which is the task's identity: an integer in decimal, a string as it was
// sent. It is false when there is none, as on events of the engine itself.
func TaskID(attrs pcommon.Map) (string, bool) {
	id, found := attrs.Get(lifecycle.AttrTaskID)
	if !found {
		return "", false
	}
	text := idText(id)
	return text, text != ""
}

// idText is empty for a value that cannot be an id.
func idText(id pcommon.Value) string {
	switch id.Type() {
	case pcommon.ValueTypeStr:
		return id.Str()
	case pcommon.ValueTypeInt:
		return strconv.FormatInt(id.Int(), 10)
	case pcommon.ValueTypeDouble:
		// Some JSON libraries know only floats: 7.0 is the task 7.
		if d := id.Double(); d == math.Trunc(d) && math.Abs(d) < exactFloat {
			return strconv.FormatInt(int64(d), 10)
		}
	}
	return ""
}

// SignalsOf is the router's decision on an event. Without a router in front, an event may become any signal.
func SignalsOf(attrs pcommon.Map) lifecycle.Signals {
	stamp, found := attrs.Get(lifecycle.AttrSignals)
	if !found {
		return lifecycle.SignalsAll
	}
	return lifecycle.ParseSignals(stamp.Str())
}
