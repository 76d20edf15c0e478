// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatch

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// RecordWriter writes events that are records into batches. It remembers their shapes, and belongs to one goroutine.
type RecordWriter struct {
	Writer

	shapes map[string]*Shape
	latest map[string]*keys
	// key and written are the keys of the current event that are written.
	key     []byte
	written []string
}

// keys are those of the latest event of a name, one after the other, and which of them are written. The next event mostly has the same.
type keys struct {
	text   []byte
	ends   []int
	wanted []bool
	shape  *Shape // nil if a batch cannot have the event
}

// Add adds an event. Only those attributes are written whose key is wanted, which is asked once for many events of the same name;
// the identity and the router's decision are part of the head. It returns false if the batch cannot have the event, which it then is
// without.
func (w *RecordWriter) Add(record plog.LogRecord, head *Head, wanted func(key string) bool) bool {
	attrs := record.Attributes()
	of := w.latest[record.EventName()]
	if of == nil || !of.areOf(attrs) {
		of = w.learn(record.EventName(), attrs, wanted)
	}
	if of.shape == nil || !w.Begin(of.shape) {
		return false
	}
	i := 0
	for _, value := range attrs.All() {
		if of.wanted[i] {
			w.value(value)
		}
		i++
	}
	return w.End(head)
}

func (w *RecordWriter) value(value pcommon.Value) {
	if value.Type() != pcommon.ValueTypeSlice {
		w.Value(ValueOf(value))
		return
	}
	w.List(value.Slice().Len())
	for _, element := range value.Slice().All() {
		w.Value(elementOf(element))
	}
	w.EndList()
}

func (k *keys) areOf(attrs pcommon.Map) bool {
	if attrs.Len() != len(k.ends) {
		return false
	}
	i, from := 0, 0
	for key := range attrs.All() {
		if string(k.text[from:k.ends[i]]) != key {
			return false
		}
		i, from = i+1, k.ends[i]
	}
	return true
}

func (k *keys) add(key string, wanted bool) {
	k.text, k.wanted = append(k.text, key...), append(k.wanted, wanted)
	k.ends = append(k.ends, len(k.text))
}

// learn finds out which keys of an event are wanted.
func (w *RecordWriter) learn(name string, attrs pcommon.Map, wanted func(key string) bool) *keys {
	of := w.latest[name]
	if of == nil {
		of = w.room(name)
	}
	of.text, of.ends, of.wanted = of.text[:0], of.ends[:0], of.wanted[:0]
	w.key, w.written = appendText(w.key[:0], name), w.written[:0]
	for key := range attrs.All() {
		is := wanted(key)
		if of.add(key, is); is {
			w.key, w.written = appendText(w.key, key), append(w.written, key)
		}
	}
	of.shape = w.shapeOf(name)
	clear(w.written)
	if len(of.text) > maxShapeBytes || len(of.ends) > maxShapeBytes {
		delete(w.latest, name)
	}
	return of
}

// room makes room for the keys of another name.
func (w *RecordWriter) room(name string) *keys {
	if w.latest == nil || len(w.latest) == maxKnown {
		w.latest = map[string]*keys{}
	}
	of := &keys{}
	if len(name) <= maxShapeBytes {
		w.latest[strings.Clone(name)] = of
	}
	return of
}

// shapeOf returns nil for an event of which two attributes have the same key, or whose keys are too long.
func (w *RecordWriter) shapeOf(name string) *Shape {
	shape, known := w.shapes[string(w.key)]
	if known {
		return shape
	}
	if len(w.key) > maxShapeBytes {
		return nil
	}
	if w.shapes == nil || len(w.shapes) == maxKnown {
		w.shapes = map[string]*Shape{}
	}
	// Read again, so that its strings are not parts of the event's.
	shape, _ = readShape(NewShape(name, w.written, false).encoded)
	w.shapes[string(w.key)] = shape
	return shape
}
