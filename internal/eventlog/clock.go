package eventlog

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

// timeLayouts are the forms in which Ruby and Rust write a time. The second is Ruby's Time#to_s.
var timeLayouts = [...]string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999 MST", "2006-01-02 15:04:05.999999999 -0700"}

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
