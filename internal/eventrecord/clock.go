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

// timeLayouts are the forms in which Ruby and Rust write times. The second one is Ruby's Time#to_s.
var timeLayouts = [...]string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999 MST", "2006-01-02 15:04:05.999999999 -0700"}

// MaxFuture is how far an event's time may be ahead of its receipt; it exceeds usual clock skew and time zone offsets.
const MaxFuture = 24 * time.Hour

// earliest is the beginning of the year 2000. Earlier times come from unset clocks and zero values.
const earliest = pcommon.Timestamp(946_684_800 * time.Second)

// Possible reports whether the time of an event received at receipt is plausible.
func Possible(at, receipt pcommon.Timestamp) bool {
	return at >= earliest && at <= receipt+pcommon.Timestamp(MaxFuture)
}

// Clock is the source of an event's time.
type Clock uint8

const (
	// ClockSender is the sender's time: occurred_at, or the timestamp of a log record.
	ClockSender Clock = iota
	// ClockPayload is the finest time of the payload.
	ClockPayload
	// ClockReceipt is the collector's time of receipt; the other two were missing or implausible.
	ClockReceipt
)

// HasTime reports whether the sender's time of a record with a time of receipt can be used.
func HasTime(record plog.LogRecord) bool {
	at, receipt := record.Timestamp(), record.ObservedTimestamp()
	return at != 0 && (at == receipt || Possible(at, receipt))
}

// setTime sets the best available time. impossible reports that the sender's time was implausible.
func setTime(record plog.LogRecord, attrs pcommon.Map) (clock Clock, impossible bool) {
	at, receipt := record.Timestamp(), record.ObservedTimestamp()
	if HasTime(record) {
		return ClockSender, false
	}
	if at != 0 {
		MarkImpossible(attrs, at.AsTime().Format(time.RFC3339Nano))
	}
	fallback, clock := FallbackTime(record.EventName(), attrs, receipt)
	record.SetTimestamp(fallback)
	return clock, at != 0
}

// FallbackTime returns the time of an event without a plausible sender time: the finest time of its payload, or else the
// time of receipt, which it marks in the attributes.
func FallbackTime(event string, attrs pcommon.Map, receipt pcommon.Timestamp) (pcommon.Timestamp, Clock) {
	if at, ok := PayloadTime(event, attrs); ok && Possible(at, receipt) {
		return at, ClockPayload
	}
	// Excluded from the event's identity: a resend has another time of receipt.
	attrs.PutStr(lifecycle.AttrClock, lifecycle.ClockReceipt)
	return receipt, ClockReceipt
}

// MarkImpossible stores the implausible time of an event as an attribute.
func MarkImpossible(attrs pcommon.Map, at string) { attrs.PutStr(lifecycle.AttrImpossibleTime, at) }

// PayloadTime returns the time in an event's payload. It takes the first that has a fraction of a second of
// transitioned_at, timestamp and, of task.completed, completed_at; else timestamp, in whole seconds. It returns false if
// the payload has no readable time.
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
	return parseTime(Text(attrs, lifecycle.AttrTimestamp))
}

func fineTime(attrs pcommon.Map, key string) (pcommon.Timestamp, bool) {
	s := Text(attrs, key)
	if strings.IndexByte(s, '.') < 0 {
		return 0, false
	}
	return parseTime(s)
}

// maxSeconds is in the year 2242, shortly before int64 nanoseconds overflow.
const maxSeconds = 1 << 33

// parseTime rejects times that int64 nanoseconds since 1970 cannot represent.
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

// Text returns the string attribute of a key; empty if it is missing or of another type.
func Text(attrs pcommon.Map, key string) string {
	value, found := attrs.Get(key)
	if !found || value.Type() != pcommon.ValueTypeStr {
		return ""
	}
	return value.Str()
}
