// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"context"
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/tree"
	"github.com/tasker-otel/otelcol-tasker/internal/assembly/treedata"
	"github.com/tasker-otel/otelcol-tasker/internal/cli/eventfile"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
)

// Limits of a batch to decode. Higher ones are not faster.
const (
	batchItems = 1000
	batchBytes = 4 << 20
)

// Source returns items, each valid until the next call, and then io.EOF. Any other error is final.
type Source interface {
	Next() (eventfile.Item, error)
}

// Options of Assemble.
type Options struct {
	// Tasks, by their id in text form, that are assembled; all when it is empty.
	Tasks []string
	// Service is that of items without one; empty means the receiver's default.
	Service string
	// Now is the clock for detecting implausible times in the future; nil means the real one.
	Now func() time.Time
	// Tree receives every tree, which is valid until the call returns.
	Tree func(*tree.Tree)
	// Refused is called for every item that cannot be decoded.
	Refused func(where, field, reason, remedy string)
}

// Counts describe an assembly.
type Counts struct {
	Events  int // accepted, including those of other tasks
	Refused int
}

// Assemble reads the source to its end and then emits the trees, because only then no event is outstanding. It holds all
// tasks until then, so that memory grows with the events of the selected tasks.
//
// The error is the source's or the context's; the trees of what was read are emitted nevertheless.
func Assemble(ctx context.Context, source Source, options Options) (Counts, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	a := assembling{wanted: map[string]bool{}, reader: treedata.NewReader(), now: options.Now()}
	for _, id := range options.Tasks {
		a.wanted[id] = true
	}
	limits := assembly.DefaultLimits()
	limits.OpenTasks = math.MaxInt // an evicted task would look incomplete
	limits.HeldBytes = 0           // no limit, for the same reason
	a.assembler = assembly.New(limits, options.Tree)
	var err error
	a.counts.Events, a.counts.Refused, err = Decode(ctx, source, DecodeOptions{
		Service: options.Service, Now: options.Now, Refused: options.Refused,
		Logs: func(logs plog.Logs) error {
			a.observe(logs)
			return nil
		},
	})
	a.assembler.Flush()
	return a.counts, err
}

type assembling struct {
	wanted     map[string]bool
	normalizer eventrecord.Normalizer
	reader     *treedata.Reader
	assembler  *assembly.Assembler
	counts     Counts
	// now is constant: the assembler measures how long tasks have been idle, which a file does not tell.
	now time.Time
}

func (a *assembling) observe(logs plog.Logs) {
	for _, application := range logs.ResourceLogs().All() {
		attrs := application.Resource().Attributes()
		resource := a.reader.Resource(attrs)
		for _, scope := range application.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				a.normalizer.Normalize(eventrecord.ApplicationOf(attrs), record)
				if record.TraceID().IsEmpty() {
					continue
				}
				if len(a.wanted) > 0 {
					if id, _ := eventrecord.TaskID(record.Attributes()); !a.wanted[id] {
						continue
					}
				}
				identity := eventrecord.Identity(record)
				a.assembler.Observe(a.reader.Event(record.EventName(), record.TraceID(), identity, record.Timestamp(), resource,
					record.Attributes()), a.now)
			}
		}
	}
}
