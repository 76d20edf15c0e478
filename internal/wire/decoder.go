// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
)

// Format is the arrangement of items in a body.
type Format uint8

const (
	// FormatAuto is an item, an array of items, or several of these with or without white space between them. An item may
	// span lines.
	FormatAuto Format = iota
	// FormatNDJSON is one item, or one array of items, per line. Lines are independent, so a broken one never affects another.
	FormatNDJSON
	// FormatCloudEvents is FormatAuto of which every item must be a CloudEvent.
	FormatCloudEvents
)

// Request is a body with the information of its headers.
type Request struct {
	// Body is the inflated body.
	Body   []byte
	Format Format
	// CorrelationID is the id for items that have none, neither as a field nor in their payload.
	CorrelationID string
	// CloudEvent is the event whose data the body is, in binary mode; else nil.
	CloudEvent *CloudEvent
}

// Limits bound what one body can cost.
type Limits struct {
	// MaxItems is the largest number of items per body. A body with more is refused as a whole.
	MaxItems int
	// MaxItemBytes is the size of one item's JSON text.
	MaxItemBytes int
	// MaxDepth is the largest nesting of objects and arrays, including the item itself and its payload.
	MaxDepth int
	// MaxAttributes is how many values an item may have: fields, payload keys at any depth, and elements of lists.
	MaxAttributes int
	// MaxValueBytes is the largest size of an item's string, as encoded.
	MaxValueBytes int
}

// DefaultLimits returns the limits for settings that are zero.
func DefaultLimits() Limits {
	return Limits{MaxItems: 100_000, MaxItemBytes: 4 << 20, MaxDepth: 64, MaxAttributes: 100_000, MaxValueBytes: 1 << 20}
}

// DefaultService is the service.name of items that name none.
const DefaultService = "unknown_service"

// Settings of a decoder. Zero fields have defaults.
type Settings struct {
	Limits Limits
	// DefaultService is the service of items without one.
	DefaultService string
	// LeaveOut are payload keys whose values are not decoded. They are still part of an event's identity.
	LeaveOut []string
	// Unused are further payload keys whose values are not decoded, by the name of the event. An item without a time of its own
	// is decoded with them, because its payload may have the time.
	Unused map[string][]string
	// Batch puts the events of a resource into one record (package eventbatch), but for those that it cannot have.
	Batch bool
	// Now is the clock of receipt.
	Now func() time.Time
}

// Decoder turns bodies into log records. It is safe for concurrent use.
type Decoder struct {
	// idle holds decodings with their own caches of frequent strings, so that these need no lock.
	idle sync.Pool
	// idleOTLP holds those of OTLP.
	idleOTLP sync.Pool
}

// NewDecoder makes a decoder.
func NewDecoder(settings Settings) *Decoder {
	limits, defaults := &settings.Limits, DefaultLimits()
	if limits.MaxItems == 0 {
		limits.MaxItems = defaults.MaxItems
	}
	if limits.MaxItemBytes == 0 {
		limits.MaxItemBytes = defaults.MaxItemBytes
	}
	if limits.MaxDepth == 0 {
		limits.MaxDepth = defaults.MaxDepth
	}
	if limits.MaxAttributes == 0 {
		limits.MaxAttributes = defaults.MaxAttributes
	}
	if limits.MaxValueBytes == 0 {
		limits.MaxValueBytes = defaults.MaxValueBytes
	}
	if settings.DefaultService == "" {
		settings.DefaultService = DefaultService
	}
	if settings.Now == nil {
		settings.Now = time.Now
	}
	d := &Decoder{}
	d.idle.New = func() any { return newDecoding(settings) }
	d.idleOTLP.New = func() any { return newOTLPDecoding(settings) }
	return d
}

// Decode turns one body, already inflated, into log records.
func (d *Decoder) Decode(body []byte, format Format) (plog.Logs, Report) {
	return d.DecodeRequest(Request{Body: body, Format: format})
}

// DecodeRequest turns a body into log records grouped by namespace and service, in the order of the body within a group; a
// batch is last. The logs
// belong to the caller and keep no reference to the body. There is no error: everything not accepted is in the report.
func (d *Decoder) DecodeRequest(request Request) (plog.Logs, Report) {
	run := d.idle.Get().(*decoding)
	run.begin(request)
	run.body()
	logs, report := run.finish()
	d.idle.Put(run)
	return logs, report
}
