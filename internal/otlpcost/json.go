// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package otlpcost

import "fmt"

// What a token of JSON takes at most when it is decoded: an element of a list or a member of an object, each of which is at
// most a span, and the frames of the decoder for what stands in one another.
const (
	jsonElement = 112
	jsonObject  = 144
)

// JSON estimates the bytes that a request in JSON takes. Which object is a span and which an attribute is not looked at: the
// estimate is higher than that of the same request in protobuf. The depth counts every object and list, of which a value in
// OTLP's JSON has three for each of its own.
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
