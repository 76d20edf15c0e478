// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventrecord

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// timeLayouts are the forms in which Ruby and Rust write a time. The second is Ruby's Time#to_s.
var timeLayouts = [...]string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999 MST", "2006-01-02 15:04:05.999999999 -0700"}

// MaxFuture is how far ahead of its receipt an event may be. Clocks run apart by less, and so do time zones.
const MaxFuture = 24 * time.Hour

// earliest is the beginning of the year 2000: earlier times come from clocks that were never set, and from zero values.
const earliest = pcommon.Timestamp(946_684_800 * time.Second)

// Possible reports whether a clock can have shown the time of an event that was received at the given time.
func Possible(at, receipt pcommon.Timestamp) bool {
	return at >= earliest && at <= receipt+pcommon.Timestamp(MaxFuture)
}

// Clock is whose time an event has.
type Clock uint8

const (
	// ClockSender is the sender's own: occurred_at, or the timestamp of a log record.
	ClockSender Clock = iota
	// ClockPayload is the finest time in the payload.
	ClockPayload
	// ClockReceipt is that of the collector: the sender's and the payload's times were absent or impossible.
	ClockReceipt
)

// setTime gives the record the best time there is. impossible tells whether the sender's was not used.
func setTime(record plog.LogRecord, attrs pcommon.Map) (clock Clock, impossible bool) {
	at, receipt := record.Timestamp(), record.ObservedTimestamp()
	if at != 0 && (at == receipt || Possible(at, receipt)) {
		return ClockSender, false
	}
	if at != 0 {
		MarkImpossible(attrs, at.AsTime().Format(time.RFC3339Nano))
	}
	fallback, clock := FallbackTime(record.EventName(), attrs, receipt)
	record.SetTimestamp(fallback)
	return clock, at != 0
}

// FallbackTime is the time of an event without a usable one of its sender's: the finest time of its payload, or else that of
// its receipt, which is then marked in the attributes.
func FallbackTime(event string, attrs pcommon.Map, receipt pcommon.Timestamp) (pcommon.Timestamp, Clock) {
	if at, ok := PayloadTime(event, attrs); ok && Possible(at, receipt) {
		return at, ClockPayload
	}
	// A resend of the event has another time of receipt, and is the same event.
	attrs.PutStr(lifecycle.AttrClock, lifecycle.ClockReceipt)
	return receipt, ClockReceipt
}

// MarkImpossible notes on an event the time that it brought and that was not used.
func MarkImpossible(attrs pcommon.Map, at string) { attrs.PutStr(lifecycle.AttrImpossibleTime, at) }

// PayloadTime is when an event happened, as far as its payload tells: the finest of its times, in the order
// transitioned_at, timestamp, then completed_at of task.completed, each only if it has a fraction of a second; else
// timestamp, which then has a resolution of one second. It is false when the payload has no readable time.
func PayloadTime(name string, attrs pcommon.Map) (pcommon.Timestamp, bool) {
	if at, ok := fineTime(attrs, lifecycle.AttrTransitionedAt); ok {
		return at, true
	}
	if at, ok := fineTime(attrs, lifecycle.AttrTimestamp); ok {
		return at, true
	}
	if name == lifecycle.TaskCompleted {
		if at, ok := fineTime(attrs, lifecycle.AttrCompletedAt); ok {
			return at, true
		}
	}
	return parseTime(text(attrs, lifecycle.AttrTimestamp))
}

func fineTime(attrs pcommon.Map, key string) (pcommon.Timestamp, bool) {
	s := text(attrs, key)
	if strings.IndexByte(s, '.') < 0 {
		return 0, false
	}
	return parseTime(s)
}

// maxSeconds is in the year 2242, a little before nanoseconds overflow.
const maxSeconds = 1 << 33

// parseTime refuses times that nanoseconds since 1970 cannot hold.
func parseTime(s string) (pcommon.Timestamp, bool) {
	if s == "" {
		return 0, false
	}
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, s); err == nil {
			seconds := at.Unix()
			return pcommon.Timestamp(at.UnixNano()), seconds > 0 && seconds < maxSeconds
		}
	}
	return 0, false
}

// text is the string under a key, or empty when there is none or it is of another type.
func text(attrs pcommon.Map, key string) string {
	value, found := attrs.Get(key)
	if !found || value.Type() != pcommon.ValueTypeStr {
		return ""
	}
	return value.Str()
}
