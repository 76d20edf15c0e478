// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlpcost

import "fmt"

// Upper bounds for a decoded JSON token: an element of a list or a member of an object, each at most a span, and the
// decoder's stack frames for nesting.
const (
	jsonElement = 112
	jsonObject  = 144
)

// JSON estimates the memory of a decoded JSON request. It does not distinguish messages, so that the estimate is higher
// than for the same request in protobuf. Every object and list counts as a level; a nested value in OTLP's JSON has three.
func (e *Estimator) JSON(data []byte) (bytes int64, err error) {
	const around, each = 12, 3 // the request, its resource, scope and record; {arrayValue: {values: [
	most := around + each*e.maxDepth
	depth, quoted := 0, false
	bytes = int64(len(data))
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			bytes += jsonObject
			if depth++; depth > most {
				return bytes, fmt.Errorf("%w: at most %d", ErrDepth, e.maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		case c == ',':
			bytes += jsonElement
		}
	}
	return bytes, nil
}
