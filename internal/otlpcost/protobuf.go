// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Package otlpcost estimates the memory of a decoded OTLP request from its bytes, before decoding. Two bytes can become a
// span of 250 bytes, and each level of nested values takes a stack frame.
//
// An [Estimator] is immutable and may be used concurrently.
package otlpcost

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Signal is the signal of a request.
type Signal int

// The signals of OTLP.
const (
	Logs Signal = iota
	Traces
	Metrics
)

// ErrDepth is the error of a request whose values are nested more deeply than allowed.
var ErrDepth = errors.New("its values are nested too deeply")

// Estimator estimates the memory of decoded requests. It is immutable and safe for concurrent use.
type Estimator struct {
	schema   *schema
	maxDepth int
}

// New makes an estimator that accepts values nested to maxDepth.
func New(maxDepth int) *Estimator { return &Estimator{newSchema(), maxDepth} }

// Protobuf estimates the memory of a decoded protobuf request. The estimate ends at malformed input, where the decoder
// fails too.
func (e *Estimator) Protobuf(signal Signal, data []byte) (bytes int64, err error) {
	root := [...]*message{Logs: e.schema.logs, Traces: e.schema.traces, Metrics: e.schema.metrics}[signal]
	w := walk{maxDepth: e.maxDepth}
	w.message(root, data, 0)
	return w.bytes, w.err
}

// walk is the estimate of one request.
type walk struct {
	maxDepth int
	bytes    int64
	err      error
}

// number is the size of a number that is encoded unpacked in a repeated field.
const number = 24

// text is the size of a string header.
const text = 16

// message adds the sizes of a message's fields. It reports whether the walk continues.
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
