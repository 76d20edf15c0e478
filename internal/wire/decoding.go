// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
)

const (
	// futureSeconds is how far ahead of the receiver's clock an event may be.
	futureSeconds = secondsPerDay
	// bytesPerItem is an estimate, to allocate a body's records at once.
	bytesPerItem = 256
	// maxIdleTokens, maxIdleRoom and maxIdleWriters bound the memory that an idle decoding keeps.
	maxIdleTokens  = 1 << 15
	maxIdleRoom    = 1 << 18
	maxIdleWriters = 4
)

// decoding is the state of decoding one body. It is reused because of its caches; between bodies it refers to no body and no logs.
type decoding struct {
	settings Settings
	texts    texts
	traces   lifecycle.TraceIDs
	shapes   shapes
	left     leftOut
	seeds    besidesSeeds
	// values are the token indexes of the current payload's values.
	values []uint32
	scanner

	request Request
	whole   []byte
	// salt identifies the current item in addition to its bytes: in binary mode, the event's source and id.
	salt string
	// decoded is the buffer of decoded data_base64.
	decoded []byte
	// refused is true after the current item was refused, because an item is refused only once.
	refused bool
	// impossible is the current item's time if it was not used.
	impossible string
	// source is the current item, and the scanner's src begins with it.
	source []byte
	// origin is the offset of the current item in the body, and index its number.
	origin, index int
	// line is the line number at the offset counted.
	line, counted int
	// overfull is true if there are more items than a body may have.
	overfull bool

	now    pcommon.Timestamp
	latest int64

	logs plog.Logs
	// groups are the events by application.
	groups map[eventrecord.Application]*group
	// last is the application of the previous item, and current its group: a body nearly always has only one.
	last    eventrecord.Application
	current *group
	// writers are idle writers of batches.
	writers []*eventbatch.Writer
	report  Report
}

// group is the events of an application. batch is nil if events are records only.
type group struct {
	records plog.LogRecordSlice
	batch   *eventbatch.Writer
}

func newDecoding(settings Settings) *decoding {
	return &decoding{
		settings: settings,
		texts:    newTexts(),
		left:     newLeftOut(settings.LeaveOut, settings.Unused),
		scanner: scanner{
			maxDepth: settings.Limits.MaxDepth, maxValues: settings.Limits.MaxAttributes, maxText: settings.Limits.MaxValueBytes,
		},
		seeds:  newBesidesSeeds(),
		groups: map[eventrecord.Application]*group{},
	}
}

func (d *decoding) begin(request Request) {
	now := d.settings.Now()
	d.now, d.latest = pcommon.NewTimestampFromTime(now), now.Add(futureSeconds*time.Second).Unix()
	d.request, d.whole, d.salt = request, request.Body, ""
	d.origin, d.index, d.line, d.counted, d.overfull = 0, 0, 1, 0, false
	d.logs = plog.NewLogs()
	d.report = Report{}
}

// finish returns the result and releases everything of this body except the caches.
func (d *decoding) finish() (plog.Logs, Report) {
	d.writers = d.writers[:0]
	for _, g := range d.groups {
		if g.batch == nil {
			continue
		}
		putBatch(g.records, g.batch, d.now)
		if len(d.writers) < maxIdleWriters && g.batch.Size() <= maxIdleBatch {
			d.writers = append(d.writers, g.batch)
		}
	}
	logs, report := d.logs, d.report
	d.request, d.whole, d.source, d.src = Request{}, nil, nil, nil
	d.logs, d.current, d.last, d.report = plog.Logs{}, nil, eventrecord.Application{}, Report{}
	clear(d.groups)
	if cap(d.tokens) > maxIdleTokens {
		d.tokens = nil
	}
	if cap(d.texts.room) > maxIdleRoom {
		d.texts.room = nil
	}
	if cap(d.decoded) > maxIdleRoom {
		d.decoded = nil
	}
	return logs, report
}

// group returns the group for an application's events.
func (d *decoding) group(namespace, service string) *group {
	app := eventrecord.Application{Namespace: namespace, Service: service}
	if app == d.last && d.current != nil {
		return d.current
	}
	of, found := d.groups[app]
	if !found {
		of = d.newGroup(app)
		d.groups[app] = of
	}
	d.last, d.current = app, of
	return of
}

func (d *decoding) newGroup(app eventrecord.Application) *group {
	resource := d.logs.ResourceLogs().AppendEmpty()
	attrs := resource.Resource().Attributes()
	attrs.PutStr(lifecycle.AttrServiceName, app.Service)
	if app.Namespace != "" {
		attrs.PutStr(lifecycle.AttrServiceNamespace, app.Namespace)
	}
	scope := resource.ScopeLogs().AppendEmpty()
	scope.Scope().SetName(lifecycle.ScopeEvents)
	scope.SetSchemaUrl(lifecycle.SchemaURL)
	of := &group{records: scope.LogRecords()}
	if d.settings.Batch {
		of.batch = d.writer()
		of.batch.Reset(app.Hash())
	} else if len(d.groups) == 0 {
		of.records.EnsureCapacity(min(len(d.whole)/bytesPerItem+1, d.settings.Limits.MaxItems))
	}
	return of
}

// writer returns an idle writer, or a new one.
func (d *decoding) writer() *eventbatch.Writer {
	if last := len(d.writers) - 1; last >= 0 {
		w := d.writers[last]
		d.writers = d.writers[:last]
		return w
	}
	return &eventbatch.Writer{}
}

// refuse records that the current item is refused.
func (d *decoding) refuse(code Reason, field, reason, remedy string) {
	d.refused = true
	d.report.Refused++
	if d.report.RefusedBy == nil {
		d.report.RefusedBy = map[Reason]int{}
	}
	d.report.RefusedBy[code]++
	if len(d.report.Refusals) == MaxRefusals {
		return
	}
	d.line += bytes.Count(d.whole[d.counted:d.origin], []byte{'\n'})
	d.counted = d.origin
	d.report.Refusals = append(d.report.Refusals, Refusal{
		Index: d.index, Line: d.line, Field: field, Code: code, Reason: reason, Remedy: remedy,
	})
}

// refuseFault refuses the current item because its scan stopped.
func (d *decoding) refuseFault() {
	limits := &d.settings.Limits
	switch d.fault {
	case faultSize:
		d.refuse(ReasonSize, "", "the item is longer than "+strconv.Itoa(limits.MaxItemBytes)+" bytes",
			"leave bulky values out of the payload, or raise max_item_bytes")
	case faultDepth:
		d.refuse(ReasonDepth, "", "the item is nested deeper than "+strconv.Itoa(limits.MaxDepth)+" levels",
			"send flatter payloads, or raise max_depth")
	case faultValues:
		d.refuse(ReasonAttributes, "", "the item has more than "+strconv.Itoa(limits.MaxAttributes)+" values, those in one another included",
			"leave bulky values out of the payload, or raise max_attributes")
	case faultText:
		d.refuse(ReasonValueSize, "", "the text at byte "+strconv.Itoa(d.at)+" of the item is longer than "+
			strconv.Itoa(limits.MaxValueBytes)+" bytes", "leave bulky values out of the payload, or raise max_value_bytes")
	case faultEncoding:
		d.refuse(ReasonEncoding, "", "the text at byte "+strconv.Itoa(d.at)+" of the item is not UTF-8",
			"encode JSON as UTF-8")
	case faultEnd:
		d.refuse(ReasonSyntax, "", "the item is not JSON: it ends too early",
			"send whole items, and in NDJSON one per line")
	default:
		if d.at == 0 && (d.src[0] == 0 || d.src[0] >= 0xfe) {
			d.refuse(ReasonEncoding, "", "the item is UTF-16 or UTF-32", "encode JSON as UTF-8")
			return
		}
		d.refuse(ReasonSyntax, "", "the item is not JSON: unexpected "+strconv.QuoteToASCII(string(d.src[d.at:d.at+1]))+
			" at byte "+strconv.Itoa(d.at), "write items with a JSON library; NaN and Infinity are not JSON")
	}
}
