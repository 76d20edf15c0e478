package offline

import (
	"context"
	"io"
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/assembly"
	"github.com/tasker-otel/otelcol-tasker/internal/eventfile"
	"github.com/tasker-otel/otelcol-tasker/internal/eventlog"
	"github.com/tasker-otel/otelcol-tasker/internal/treedata"
	"github.com/tasker-otel/otelcol-tasker/internal/wire"
)

// Items and bytes that are decoded at once. More gain nothing.
const (
	batchItems = 1000
	batchBytes = 4 << 20
)

// Source gives items, each valid until the next call, then io.EOF. Another error is final.
type Source interface {
	Next() (eventfile.Item, error)
}

// Options of an assembly.
type Options struct {
	// Tasks, by their id in text form, that are assembled; all when it is empty.
	Tasks []string
	// Service of items that name none; empty means the receiver's default.
	Service string
	// Now is the clock by which times in the far future are known to be wrong; nil means the real one.
	Now func() time.Time
	// Tree receives every tree. It may be used only until the call returns.
	Tree func(*assembly.Tree)
	// Refused is told of every item that cannot be taken.
	Refused func(where, field, reason, remedy string)
}

// Counts of an assembly.
type Counts struct {
	Events  int // taken, those of other tasks than the wanted ones included
	Refused int
	Other   int // taken, but of no task
	Trees   int
}

// Assemble reads the source to its end and then gives the trees, because no later event can be known to be missing. All
// tasks are held until then, so memory grows with the events of the wanted tasks.
//
// The error is the source's or the context's; then the trees of what was read have been given all the same.
func Assemble(ctx context.Context, source Source, options Options) (Counts, error) {
	if options.Now == nil {
		options.Now = time.Now
	}
	a := assembling{
		options: options,
		wanted:  map[string]bool{},
		decoder: wire.NewDecoder(wire.Settings{DefaultService: options.Service, Now: options.Now}),
		reader:  treedata.NewReader(),
		now:     options.Now(),
	}
	for _, id := range options.Tasks {
		a.wanted[id] = true
	}
	limits := treedata.DefaultLimits()
	limits.OpenTasks = math.MaxInt // one that is evicted would look incomplete
	a.assembler = assembly.New(limits, func(tree *assembly.Tree) {
		a.counts.Trees++
		options.Tree(tree)
	})
	err := a.read(ctx, source)
	a.assembler.Flush()
	return a.counts, err
}

type assembling struct {
	options   Options
	wanted    map[string]bool
	decoder   *wire.Decoder
	reader    *treedata.Reader
	assembler *assembly.Assembler
	batch     eventfile.Batch
	counts    Counts
	// now stands still: the assembler measures how long tasks have been quiet, and a file says nothing about that.
	now time.Time
}

func (a *assembling) read(ctx context.Context, source Source) error {
	for {
		item, err := source.Next()
		if err != nil {
			a.decode()
			if err == io.EOF {
				return nil
			}
			return err
		}
		if item.Fault != nil {
			a.refuse(item.String(), "", item.Fault.Reason, item.Fault.Remedy)
			continue
		}
		a.batch.Add(item)
		if a.batch.Len() >= batchItems || len(a.batch.Body) >= batchBytes {
			a.decode()
			if err := ctx.Err(); err != nil {
				return err
			}
		}
	}
}

func (a *assembling) refuse(where, field, reason, remedy string) {
	a.counts.Refused++
	if a.options.Refused != nil {
		a.options.Refused(where, field, reason, remedy)
	}
}

// decode takes in the batch. The decoder lists only the first refusals of a body; the others are counted.
func (a *assembling) decode() {
	if a.batch.Len() == 0 {
		return
	}
	logs, report := a.decoder.Decode(a.batch.Body, wire.FormatNDJSON)
	for _, r := range report.Refusals {
		where, _ := a.batch.Origin(r.Index)
		a.refuse(where.String(), r.Field, r.Reason, r.Remedy)
	}
	a.counts.Refused += report.Refused - len(report.Refusals)
	a.counts.Events += report.Accepted
	a.batch.Reset()
	a.observe(logs)
}

func (a *assembling) observe(logs plog.Logs) {
	for _, application := range logs.ResourceLogs().All() {
		attrs := application.Resource().Attributes()
		resource := a.reader.Resource(attrs)
		for _, scope := range application.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				eventlog.Normalize(attrs, record)
				if record.TraceID().IsEmpty() {
					a.counts.Other++
					continue
				}
				if len(a.wanted) > 0 {
					if id, _ := eventlog.TaskID(record.Attributes()); !a.wanted[id] {
						continue
					}
				}
				identity := eventlog.Fingerprint(record.EventName(), record.Timestamp(), record.Attributes())
				a.assembler.Observe(a.reader.Event(record.EventName(), record.TraceID(), identity, record.Timestamp(), resource,
					record.Attributes()), a.now)
			}
		}
	}
}
