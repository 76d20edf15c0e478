// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// payload is a JSON object with ordered keys.
type payload []field

type field struct {
	key   string
	value any
}

// with appends fields, given as alternating keys and values.
func (p payload) with(pairs ...any) payload {
	for i := 0; i < len(pairs); i += 2 {
		p = append(p, field{pairs[i].(string), pairs[i+1]})
	}
	return p
}

// without removes a field.
func (p payload) without(key string) payload {
	return slices.DeleteFunc(p, func(f field) bool { return f.key == key })
}

func (p payload) appendJSON(b []byte) []byte {
	b = append(b, '{')
	for i, f := range p {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendQuote(b, f.key)
		b = append(b, ':')
		b = appendValue(b, f.value)
	}
	return append(b, '}')
}

// appendValue writes the types that the model uses. Its texts are plain ASCII, for which Go's quoting equals JSON's.
func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		if v == float64(int64(v)) {
			return strconv.AppendFloat(b, v, 'f', 1, 64)
		}
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	case string:
		return strconv.AppendQuote(b, v)
	case payload:
		return v.appendJSON(b)
	case []int64:
		return appendList(b, v)
	case []string:
		return appendList(b, v)
	}
	panic(fmt.Sprintf("engine: no JSON form for %T", value))
}

func appendList[T any](b []byte, list []T) []byte {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, v)
	}
	return append(b, ']')
}

// The three resolutions of the engine's timestamps (docs/tasker-events.md, trap 4).
func isoSeconds(ns int64) string { return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05Z") }
func isoMillis(ns int64) string  { return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000Z") }
func isoNanos(ns int64) string {
	return time.Unix(0, ns).UTC().Format("2006-01-02T15:04:05.000000000Z")
}

// isoSecondsOrNull returns nil for an unknown time.
func isoSecondsOrNull(ns int64) any {
	if ns == 0 {
		return nil
	}
	return isoSeconds(ns)
}
