// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package eventbatch

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// RecordWriter writes events that are records into batches. It remembers their keys, and belongs to one goroutine.
type RecordWriter struct {
	Writer

	kinds  map[string]*kind // by the name and all keys
	latest map[string]*kind // by the name
	shapes map[string]*Shape
	key    []byte
}

// kind is what many events have in common: the name, all keys of the record in order, and which of them are written.
type kind struct {
	name   string
	keys   []string
	wanted []bool
	shape  *Shape // nil if a batch cannot have the event
}

// Add adds an event. Only those attributes are written whose key is wanted, which is asked once for many events of the same name;
// the identity and the router's decision are part of the head. It returns false if the batch cannot have the event, which it then is
// without.
func (w *RecordWriter) Add(record plog.LogRecord, head *Head, wanted func(key string) bool) bool {
	attrs := record.Attributes()
	of := w.latest[record.EventName()]
	if of == nil || !of.has(attrs) {
		of = w.kindOf(record.EventName(), attrs, wanted)
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

// has reports whether these are the attributes of an event of this kind.
func (k *kind) has(attrs pcommon.Map) bool {
	if attrs.Len() != len(k.keys) {
		return false
	}
	i := 0
	for key := range attrs.All() {
		if key != k.keys[i] {
			return false
		}
		i++
	}
	return true
}

func (w *RecordWriter) kindOf(name string, attrs pcommon.Map, wanted func(key string) bool) *kind {
	w.key = appendText(w.key[:0], name)
	for key := range attrs.All() {
		w.key = appendText(w.key, key)
	}
	of, known := w.kinds[string(w.key)]
	if !known {
		of = w.learn(string(w.key), wanted)
	}
	if len(w.key) <= maxShapeBytes {
		w.latest[of.name] = of
	}
	return of
}

// learn finds out which keys are written of events with a name and keys.
func (w *RecordWriter) learn(encoded string, wanted func(key string) bool) *kind {
	in := input{rest: encoded}
	of := &kind{name: in.text()}
	var written []string
	for in.rest != "" {
		key := in.text()
		is := wanted(key)
		if of.keys, of.wanted = append(of.keys, key), append(of.wanted, is); is {
			written = append(written, key)
		}
	}
	if w.kinds == nil || len(w.kinds) == maxKnown || len(w.shapes) == maxKnown {
		w.kinds, w.latest, w.shapes = map[string]*kind{}, map[string]*kind{}, map[string]*Shape{}
	}
	of.shape = w.shapeOf(NewShape(of.name, written, false).encoded)
	if len(encoded) <= maxShapeBytes {
		w.kinds[encoded] = of
	}
	return of
}

// shapeOf returns nil for a shape that is too long, or has a key twice.
func (w *RecordWriter) shapeOf(encoded string) *Shape {
	shape, known := w.shapes[encoded]
	if !known {
		if shape, _ = readShape(encoded); shape != nil {
			w.shapes[encoded] = shape
		}
	}
	return shape
}
