// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package otlpcost estimates how much memory an OTLP request takes when it is decoded, from its bytes and before anything is
// built of them. Two bytes can become a span of 250, and values that stand in one another take a frame of the stack each.
package otlpcost

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Signal is what a request carries.
type Signal int

// The signals of OTLP.
const (
	Logs Signal = iota
	Traces
	Metrics
)

// ErrDepth is the error of a request whose values stand in one another more deeply than is allowed.
var ErrDepth = errors.New("its values stand in one another too deeply")

// Estimator estimates. It is immutable and safe for concurrent use.
type Estimator struct {
	schema   *schema
	maxDepth int
}

// New makes an estimator that allows maps and lists to stand in one another to a depth.
func New(maxDepth int) *Estimator { return &Estimator{newSchema(), maxDepth} }

// Protobuf estimates the bytes that a request in protobuf takes. What is malformed ends the estimate: the decoder refuses it
// when it gets there, having built no more than what was estimated.
func (e *Estimator) Protobuf(signal Signal, data []byte) (bytes int64, err error) {
	root := [...]*message{Logs: e.schema.logs, Traces: e.schema.traces, Metrics: e.schema.metrics}[signal]
	w := walk{maxDepth: e.maxDepth}
	w.message(root, data, 0)
	return w.bytes, w.err
}

// walk adds up one request.
type walk struct {
	maxDepth int
	bytes    int64
	err      error
}

// number is what a list of numbers takes for one that stands by itself.
const number = 24

// text is what a text takes beside its bytes.
const text = 16

// message adds what the fields of a message take. It reports whether the walk goes on.
func (w *walk) message(m *message, data []byte, depth int) bool {
	if m.value {
		if depth++; depth > w.maxDepth {
			w.err = fmt.Errorf("%w: at most %d", ErrDepth, w.maxDepth)
			return false
		}
	}
	for len(data) > 0 {
		field, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return false
		}
		data = data[n:]
		if kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(field, kind, data); n < 0 || kind == protowire.StartGroupType {
				return false
			}
			data = data[n:]
			if m.perByte(uint64(field)) > 0 {
				w.bytes += number
			}
			continue
		}
		value, n := protowire.ConsumeBytes(data)
		if n < 0 {
			return false
		}
		data = data[n:]
		if !w.field(m, uint64(field), value, depth) {
			return false
		}
	}
	return true
}

func (w *walk) field(m *message, field uint64, value []byte, depth int) bool {
	if below := m.below(field); below != nil {
		w.bytes += below.size
		return w.message(below, value, depth)
	}
	if perByte := m.perByte(field); perByte > 0 {
		w.bytes += perByte*int64(len(value)) + number
		return true
	}
	w.bytes += int64(len(value)) + text
	return true
}
