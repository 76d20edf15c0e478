// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"slices"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tasker-otel/otelcol-tasker/internal/eventbatch"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/otlpcost"
)

// Numbers of the fields of OTLP messages. Fields that are not here are decoded by pdata, or are unknown to it as well.
const (
	fieldResourceLogs        = 1    // of a request
	fieldScopeLogs           = 2    // of ResourceLogs
	fieldDeprecatedScopeLogs = 1000 // of ResourceLogs, where there are no others
	fieldLogRecords          = 2    // of ScopeLogs
)

// maxGroupsBytes is what the resources and scopes of a request may take. A thousand of them take a fiftieth of it.
const maxGroupsBytes = 16 << 20

// otlpDecoding is the state of decoding one request. It is reused because of its caches; between requests it refers to no request.
type otlpDecoding struct {
	settings   Settings
	texts      texts
	left       leftOut
	shapes     shapes
	normalizer eventrecord.Normalizer
	estimator  *otlpcost.Estimator

	// found are the log records of the request, and scopes are the indexes of their groups.
	found    [][]byte
	scopes   []otlpScope
	skeleton []byte
	// body is the current record, attrs are its attributes, and values counts their values, those in one another included.
	body   []byte
	record otlpRecord
	attrs  []otlpAttribute
	values int

	// writer has the batch of the current scope.
	writer eventbatch.Writer
	seeds  besidesSeeds

	now pcommon.Timestamp
	// index counts the records of the request, and appended those of the logs; refused are the indexes of the latter to be removed.
	index, appended int
	refused         []int
	report          Report
}

// otlpScope has the indexes of the first log record of a ScopeLogs and of the one after its last.
type otlpScope struct{ from, to int }

// otlpAttribute is a KeyValue that is not decoded yet, as offsets of its key and value in the message around it.
type otlpAttribute struct{ keyStart, keyEnd, valueStart, valueEnd uint32 }

func (a otlpAttribute) key(in []byte) []byte { return in[a.keyStart:a.keyEnd:a.keyEnd] }

func (a otlpAttribute) value(in []byte) []byte { return in[a.valueStart:a.valueEnd:a.valueEnd] }

func newOTLPDecoding(settings Settings) *otlpDecoding {
	return &otlpDecoding{
		settings: settings, texts: newTexts(), left: newLeftOut(settings.LeaveOut, settings.Unused),
		seeds:      newBesidesSeeds(),
		normalizer: eventrecord.Normalizer{Received: true}, estimator: otlpcost.New(settings.Limits.MaxDepth),
	}
}

// DecodeOTLP turns an ExportLogsServiceRequest in protobuf into log records that are normalized as event_router normalizes those of
// the otlp receiver, and have their identities. The logs belong to the caller and keep no reference to the body. Records beyond the
// limits are refused, and are in the report. A body that is not such a request is an error: nothing of it is accepted.
func (d *Decoder) DecodeOTLP(body []byte) (plog.Logs, Report, error) {
	run := d.idleOTLP.Get().(*otlpDecoding)
	logs, err := run.request(body)
	report := run.finish()
	d.idleOTLP.Put(run)
	if err != nil {
		return plog.NewLogs(), Report{Refused: 1, RefusedBy: map[Reason]int{ReasonSyntax: 1}}, fmt.Errorf("the body is not an OTLP request in protobuf: %w", err)
	}
	return logs, report, nil
}

// finish releases everything of the request except the caches.
func (d *otlpDecoding) finish() Report {
	report := d.report
	d.report = Report{}
	clear(d.found)
	d.body = nil
	d.record.clear()
	d.found, d.scopes, d.attrs, d.refused = d.found[:0], d.scopes[:0], d.attrs[:0], d.refused[:0]
	if cap(d.found) > maxIdleTokens || cap(d.attrs) > maxIdleTokens {
		d.found, d.attrs = nil, nil
	}
	if cap(d.skeleton) > maxIdleRoom {
		d.skeleton = nil
	}
	if d.writer.Size() > maxIdleBatch {
		d.writer = eventbatch.Writer{}
	}
	return report
}

// request decodes everything but the log records by pdata.
func (d *otlpDecoding) request(body []byte) (plog.Logs, error) {
	d.index, d.appended, d.now = 0, 0, pcommon.NewTimestampFromTime(d.settings.Now())
	err := d.split(body)
	if err == nil {
		err = d.checkGroups()
	}
	var over *overLimit
	if asOverLimit(err, &over) {
		d.refuse(over)
		return plog.NewLogs(), nil
	}
	if err != nil {
		return plog.Logs{}, err
	}
	request := plogotlp.NewExportRequest()
	if err := request.UnmarshalProto(d.skeleton); err != nil {
		return plog.Logs{}, err
	}
	logs, scopes := request.Logs(), d.scopes
	for _, resourceLogs := range logs.ResourceLogs().All() {
		of := eventrecord.ApplicationOf(resourceLogs.Resource().Attributes())
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			records := d.found[scopes[0].from:scopes[0].to]
			scopes = scopes[1:]
			if d.settings.Batch {
				d.writer.Reset(of.Hash())
			} else {
				scopeLogs.LogRecords().EnsureCapacity(len(records))
			}
			for _, record := range records {
				if err := d.recordOf(of, scopeLogs.LogRecords(), record); err != nil {
					return plog.Logs{}, err
				}
			}
			if d.settings.Batch && putBatch(scopeLogs.LogRecords(), &d.writer, d.now) {
				d.appended++
			}
		}
	}
	d.removeRefused(logs)
	return logs, nil
}

// split finds the log records of a request, and writes everything else into the skeleton, which is a request, too.
func (d *otlpDecoding) split(body []byte) error {
	d.skeleton = d.skeleton[:0]
	for m := (message{buf: body}); ; {
		if !m.next() {
			return m.err
		}
		if m.field != fieldResourceLogs {
			continue
		}
		if !m.is(protowire.BytesType) {
			return m.err
		}
		kept, err := d.splitResource(m.bytes())
		if err != nil {
			return err
		}
		d.skeleton = protowire.AppendBytes(protowire.AppendTag(d.skeleton, fieldResourceLogs, protowire.BytesType), kept)
	}
}

func (d *otlpDecoding) splitResource(body []byte) (kept []byte, err error) {
	var deprecated [][]byte
	first := len(d.scopes)
	for m := (message{buf: body}); ; {
		before := m.at
		if !m.next() {
			err = m.err
			break
		}
		if m.field != fieldScopeLogs && m.field != fieldDeprecatedScopeLogs {
			kept = append(kept, body[before:m.at]...)
			continue
		}
		if !m.is(protowire.BytesType) {
			return nil, m.err
		}
		if m.field == fieldDeprecatedScopeLogs {
			deprecated = append(deprecated, m.bytes())
		} else if kept, err = d.splitScope(kept, m.bytes()); err != nil {
			return nil, err
		}
	}
	others := first < len(d.scopes)
	for i := 0; err == nil && i < len(deprecated); i++ {
		if others { // pdata checks them, and ignores them, too
			kept = protowire.AppendBytes(protowire.AppendTag(kept, fieldDeprecatedScopeLogs, protowire.BytesType), deprecated[i])
		} else {
			kept, err = d.splitScope(kept, deprecated[i])
		}
	}
	return kept, err
}

// splitScope appends what is kept of a scope to what is kept of its resource.
func (d *otlpDecoding) splitScope(resource, body []byte) ([]byte, error) {
	var kept []byte
	from := len(d.found)
	for m := (message{buf: body}); ; {
		before := m.at
		if !m.next() {
			d.scopes = append(d.scopes, otlpScope{from, len(d.found)})
			return protowire.AppendBytes(protowire.AppendTag(resource, fieldScopeLogs, protowire.BytesType), kept), m.err
		}
		if m.field != fieldLogRecords {
			kept = append(kept, body[before:m.at]...)
			continue
		}
		if !m.is(protowire.BytesType) {
			return nil, m.err
		}
		if d.found = append(d.found, m.bytes()); len(d.found) > d.settings.Limits.MaxItems {
			return nil, &overLimit{ReasonItems, "the request has more than " + strconv.Itoa(d.settings.Limits.MaxItems) + " log records",
				"send fewer at once, or raise max_items"}
		}
	}
}

// checkGroups checks the limits of resources and scopes, before pdata decodes them.
func (d *otlpDecoding) checkGroups() error {
	size, err := d.estimator.Protobuf(otlpcost.Logs, d.skeleton)
	if err != nil {
		return &overLimit{ReasonDepth, "the attributes of a resource or scope are nested deeper than " + strconv.Itoa(d.settings.Limits.MaxDepth) + " levels",
			"send flatter attributes, or raise max_depth"}
	}
	if size > maxGroupsBytes {
		return &overLimit{ReasonSize, "the resources and scopes of the request are too many or too large",
			"send fewer resources, scopes and attributes of them at once"}
	}
	return nil
}

// refuse records that the current record, or the request, is refused.
func (d *otlpDecoding) refuse(over *overLimit) {
	d.report.Refused++
	if d.report.RefusedBy == nil {
		d.report.RefusedBy = map[Reason]int{}
	}
	d.report.RefusedBy[over.code]++
	if len(d.report.Refusals) < MaxRefusals {
		d.report.Refusals = append(d.report.Refusals, Refusal{Index: d.index, Code: over.code, Reason: over.reason, Remedy: over.remedy})
	}
}

// removeRefused removes the refused records.
func (d *otlpDecoding) removeRefused(logs plog.Logs) {
	if len(d.refused) == 0 {
		return
	}
	index := 0
	for _, resourceLogs := range logs.ResourceLogs().All() {
		for _, scopeLogs := range resourceLogs.ScopeLogs().All() {
			scopeLogs.LogRecords().RemoveIf(func(plog.LogRecord) bool {
				_, refused := slices.BinarySearch(d.refused, index)
				index++
				return refused
			})
		}
	}
}

// recordOf decodes a log record, or refuses it.
func (d *otlpDecoding) recordOf(of eventrecord.Application, records plog.LogRecordSlice, body []byte) error {
	before, appended := d.report, d.appended
	err := d.readRecord(of, records, body)
	var over *overLimit
	if asOverLimit(err, &over) {
		d.report = before // which has nothing of the record
		d.refuse(over)
		if d.appended > appended {
			d.refused = append(d.refused, appended)
		}
		err = nil
	} else if err == nil {
		d.report.Accepted++
	}
	d.index++
	return err
}

func (d *otlpDecoding) readRecord(of eventrecord.Application, records plog.LogRecordSlice, body []byte) error {
	limits := &d.settings.Limits
	if len(body) > limits.MaxItemBytes {
		return &overLimit{ReasonSize, "the record is longer than " + strconv.Itoa(limits.MaxItemBytes) + " bytes",
			"leave bulky values out of the payload, or raise max_item_bytes"}
	}
	d.body, d.attrs, d.values = body, d.attrs[:0], 0
	if err := d.readFields(); err != nil {
		return err
	}
	if !eventrecord.Possible(d.record.observed, d.now) {
		d.record.observed = d.now
	}
	event := d.eventName()
	if d.settings.Batch {
		before := d.report
		if done, err := d.batch(of, event); done || err != nil {
			return err
		}
		d.report, d.values = before, 0
	}
	record := records.AppendEmpty()
	d.appended++
	if err := d.setFields(record); err != nil {
		return err
	}
	attrs := record.Attributes()
	if event == "" { // not an event: event_router counts it
		return d.members(attrs, body, d.attrs, false, 2)
	}
	others := roomForStamp
	if !record.SpanID().IsEmpty() {
		others++ // for the context in which the event was fired
	}
	hashed, err := d.payload(attrs, event, !eventrecord.HasTime(record), others)
	if err != nil {
		return err
	}
	clock, impossible := d.normalizer.Normalize(of, record)
	d.count(clock, impossible)
	eventrecord.SetIdentity(attrs, eventrecord.FingerprintWith(record.EventName(), record.Timestamp(), attrs, hashed))
	return nil
}

func (d *otlpDecoding) count(clock eventrecord.Clock, impossible bool) {
	switch clock {
	case eventrecord.ClockPayload:
		d.report.PayloadClock++
	case eventrecord.ClockReceipt:
		d.report.ReceiptClock++
	}
	if impossible {
		d.report.ClockFallbacks++
	}
}

// eventName returns the canonical name of the event that the current record is, from its field or, if that is empty, an attribute.
func (d *otlpDecoding) eventName() string {
	name := d.texts.shared(d.record.name)
	for i := 0; name == "" && i < len(d.attrs); i++ {
		if string(d.attrs[i].key(d.body)) == eventrecord.AttrEventName {
			name = d.stringOf(d.attrs[i].value(d.body))
		}
	}
	return lifecycle.Canonical(name)
}
