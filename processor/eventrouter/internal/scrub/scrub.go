// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/bounded/namecache"
	"github.com/tasker-otel/otelcol-tasker/internal/eventrecord"
	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/sqltext"
)

// maxCachedKeys bounds the memory of cached payload keys.
const maxCachedKeys = 4096

// Settings set what is kept. All limits are positive.
type Settings struct {
	// Bulky are the payload keys to leave out.
	Bulky []string
	// Only, if not empty, are the payload keys to keep besides those that the collector reads; all others are left out.
	Only []string
	// Sensitive are the parts of keys whose values are masked, compared without regard to case.
	Sensitive []string
	// Mask replaces a masked value.
	Mask string
	// Patterns are masked inside texts.
	Patterns Patterns
	// MaxValueBytes is the longest text or byte string.
	MaxValueBytes int
	// MaxStructureBytes is the largest map or list, by its keys and values.
	MaxStructureBytes int
	// MaxBacktraceLines is the longest backtrace.
	MaxBacktraceLines int
}

// Scrubber applies settings. It is immutable and safe for concurrent use.
type Scrubber struct {
	settings Settings
	// needed are the payload keys that the collector reads.
	needed   []string
	verdicts *namecache.Cache[verdict]
}

// verdict is what is known about a key.
type verdict struct {
	// left means that the attribute is removed.
	left, sensitive, sql, backtrace bool
	// id means that a number under the key, also one in a string, is not a card number.
	id bool
	// inMessage means that the attribute is part of a record's readable line.
	inMessage bool
	// secret means that the key itself contains a secret.
	secret bool
	// plain means that the key requires nothing: only the value may.
	plain bool
}

// New makes a scrubber.
func New(settings Settings) *Scrubber {
	settings.Sensitive = slices.Clone(settings.Sensitive)
	for i, part := range settings.Sensitive {
		settings.Sensitive[i] = strings.ToLower(part)
	}
	s := &Scrubber{settings: settings, needed: lifecycle.NeededPayloadKeys()}
	s.verdicts = namecache.New(maxCachedKeys, s.judge)
	return s
}

func (s *Scrubber) judge(key string) verdict {
	name := strings.TrimPrefix(key, lifecycle.AttributePrefix)
	lower := strings.ToLower(name)
	left := slices.Contains(s.settings.Bulky, name)
	if len(s.settings.Only) > 0 && !slices.Contains(s.settings.Only, name) && !slices.Contains(s.needed, name) {
		left = true
	}
	v := verdict{
		left:      left,
		id:        (lower == "id" || strings.HasSuffix(lower, "_id") || strings.HasSuffix(lower, "_ids")) && key != lifecycle.AttrCorrelationID,
		inMessage: inMessage(key),
		secret:    s.settings.Patterns.Mask(key, "") != key,
		sensitive: slices.ContainsFunc(s.settings.Sensitive, func(part string) bool { return strings.Contains(lower, part) }),
		sql:       name == "sql" || name == "db.statement" || name == lifecycle.AttrDBQueryText,
		backtrace: name == "backtrace" || name == lifecycle.AttrExceptionStacktrace,
	}
	v.plain = !v.left && !v.sensitive && !v.sql && !v.backtrace && !v.secret
	return v
}

// inMessage reports whether an attribute is part of a record's readable line.
func inMessage(key string) bool {
	switch key {
	case lifecycle.AttrTaskID, lifecycle.AttrTaskName, lifecycle.AttrStepName, lifecycle.AttrErrorMessage:
		return true
	}
	return false
}

// Spares reports whether events with these keys need no scrubbing if their values have no more than [Scrubber.Room] bytes together.
func (s *Scrubber) Spares(keys []string) bool {
	if s.settings.Patterns.any() {
		return false
	}
	for _, key := range keys {
		if v := s.verdicts.Get(key); !v.plain {
			return false
		}
	}
	return true
}

// Room returns how many bytes values can have together without one of them being cut, if each takes at least one.
func (s *Scrubber) Room() int {
	return min(s.settings.MaxValueBytes, s.settings.MaxStructureBytes/(word+1))
}

// word is what a value counts in a structure, besides its text.
const word = 8

// Counts are numbers of values, not of events.
type Counts struct {
	// Removed were left out, Masked had a sensitive key or held a secret, Truncated were cut at a limit.
	Removed, Masked, Truncated int64
}

// Pass scrubs records and counts what it did. It belongs to one goroutine.
type Pass struct {
	Counts
	scrubber *Scrubber
	verdicts *namecache.Front[verdict]
	// room is the rest of MaxStructureBytes in the structure being walked.
	room int
	// id is the verdict's id for the key being walked.
	id bool
	// rebuildMessage means that the record's readable line must be rebuilt, because an attribute in it has changed.
	rebuildMessage bool
	// attribute, entry and element are the methods of these names, kept because creating them again would allocate.
	attribute, entry func(string, pcommon.Value) bool
	element          func(pcommon.Value) bool
}

// NewPass makes a pass.
func (s *Scrubber) NewPass() *Pass {
	p := &Pass{scrubber: s, verdicts: s.verdicts.Front()}
	p.attribute, p.entry, p.element = p.scrubAttribute, p.scrubEntry, p.scrubElement
	return p
}

// Take returns the counts since the last call.
func (p *Pass) Take() Counts {
	counts := p.Counts
	p.Counts = Counts{}
	return counts
}

// ScrubText changes a text without a key.
func (p *Pass) ScrubText(text string, set func(string)) {
	p.id = false
	clean, masked := p.masked(text)
	clean, cut := p.shortened(clean)
	if masked || cut {
		set(clean)
	}
}

// Scrub changes the record's name, severity text, attributes and body.
func (p *Pass) Scrub(record plog.LogRecord) {
	p.id, p.rebuildMessage = false, false
	if name, masked := p.masked(record.EventName()); masked {
		record.SetEventName(name)
	}
	p.ScrubText(record.SeverityText(), record.SetSeverityText)
	record.Attributes().RemoveIf(p.attribute)
	switch body := record.Body(); {
	case body.Type() == pcommon.ValueTypeMap:
		body.Map().RemoveIf(p.attribute)
	case p.rebuildMessage && body.Type() == pcommon.ValueTypeStr:
		body.SetStr(eventrecord.Message(record))
	default:
		p.id = false
		p.scrubValue(body)
	}
}

// ScrubResource changes the attributes of a resource or scope. Identifying attributes of the application are exempt from the key
// filter; secrets inside are still masked.
func (p *Pass) ScrubResource(attrs pcommon.Map) {
	attrs.RemoveIf(func(key string, value pcommon.Value) bool {
		v := p.verdicts.Get(key)
		if v.secret {
			p.Removed++
			return true
		}
		if strings.HasPrefix(key, "service.") {
			v.sensitive = false
		}
		p.scrubUnder(v, value)
		return false
	})
}

// scrubAttribute reports whether the attribute must be removed.
func (p *Pass) scrubAttribute(key string, value pcommon.Value) bool {
	v := p.verdicts.Get(key)
	if v.plain && p.harmless(value) {
		return false
	}
	before := p.Counts
	if v.left || v.secret {
		p.Removed++
	} else {
		p.scrubUnder(v, value)
	}
	p.rebuildMessage = p.rebuildMessage || v.inMessage && p.Counts != before
	return v.left || v.secret
}

// harmless reports cheaply whether a value under a plain key needs no scrubbing, which is true of nearly all.
func (p *Pass) harmless(value pcommon.Value) bool {
	settings := &p.scrubber.settings
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return !settings.Patterns.any() && len(value.Str()) <= settings.MaxValueBytes
	case pcommon.ValueTypeInt:
		return !settings.Patterns.CardNumbers
	case pcommon.ValueTypeDouble, pcommon.ValueTypeBool, pcommon.ValueTypeEmpty:
		return true
	}
	return false
}

func (p *Pass) scrubUnder(v verdict, value pcommon.Value) {
	if !p.scrubByKey(v, value) {
		p.id = v.id
		p.scrubValue(value)
	}
}

// scrubByKey reports whether the value needs no further scrubbing.
func (p *Pass) scrubByKey(v verdict, value pcommon.Value) bool {
	switch {
	case v.sensitive:
		p.mask(value)
		return true
	case v.sql:
		sanitize(value)
	case v.backtrace:
		p.cutBacktrace(value)
	}
	return false
}

// sanitize removes the literals of a query, or of several: under an SQL key every string is one.
func sanitize(value pcommon.Value) {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		if clean := sqltext.Sanitize(value.Str()); clean != value.Str() {
			value.SetStr(clean)
		}
	case pcommon.ValueTypeBytes:
		value.SetStr(sqltext.Sanitize(string(value.Bytes().AsRaw())))
	case pcommon.ValueTypeSlice:
		for _, element := range value.Slice().All() {
			sanitize(element)
		}
	case pcommon.ValueTypeMap:
		for _, entry := range value.Map().All() {
			sanitize(entry)
		}
	}
}

// mask skips a value that is masked already, so that a second router counts nothing.
func (p *Pass) mask(value pcommon.Value) {
	if value.Type() == pcommon.ValueTypeStr && value.Str() == p.scrubber.settings.Mask {
		return
	}
	value.SetStr(p.scrubber.settings.Mask)
	p.Masked++
}

// scrubValue begins a structure with its own size limit.
func (p *Pass) scrubValue(value pcommon.Value) {
	switch value.Type() {
	default:
		p.scrubScalar(value)
	case pcommon.ValueTypeMap, pcommon.ValueTypeSlice:
		p.room = p.scrubber.settings.MaxStructureBytes
		p.descend(value)
		if p.room < 0 {
			p.Truncated++
		}
	}
}

func (p *Pass) descend(value pcommon.Value) {
	switch value.Type() {
	case pcommon.ValueTypeMap:
		value.Map().RemoveIf(p.entry)
	case pcommon.ValueTypeSlice:
		value.Slice().RemoveIf(p.element)
	default:
		p.scrubScalar(value)
	}
}

// scrubScalar masks before it cuts: half a secret would not be recognized.
func (p *Pass) scrubScalar(value pcommon.Value) {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		if text, masked := p.masked(value.Str()); masked {
			value.SetStr(text)
		}
		p.cutText(value)
	case pcommon.ValueTypeBytes:
		if p.scrubber.settings.Patterns.any() {
			if text, masked := p.masked(string(value.Bytes().AsRaw())); masked {
				value.Bytes().FromRaw([]byte(text))
			}
		}
		p.cutBytes(value)
	case pcommon.ValueTypeInt:
		if p.scrubber.settings.Patterns.CardNumbers && !p.id && isCardNumber(value.Int()) {
			p.mask(value)
		}
	}
}

// masked returns a text without its secrets, and whether there were any.
func (p *Pass) masked(text string) (string, bool) {
	patterns := p.scrubber.settings.Patterns
	if p.id && isNumber(text) {
		patterns.CardNumbers = false
	}
	if !patterns.any() {
		return text, false
	}
	clean := patterns.Mask(text, p.scrubber.settings.Mask)
	if clean == text {
		return text, false
	}
	p.Masked++
	return clean, true
}

func (p *Pass) scrubEntry(key string, value pcommon.Value) bool {
	if !p.take(len(key) + sizeOf(value, p.scrubber.settings.MaxValueBytes)) {
		return true
	}
	v := p.verdicts.Get(key)
	if v.secret {
		p.Removed++
		return true
	}
	if !p.scrubByKey(v, value) {
		outer := p.id
		p.id = v.id
		p.descend(value)
		p.id = outer
	}
	return false
}

func (p *Pass) scrubElement(value pcommon.Value) bool {
	if !p.take(sizeOf(value, p.scrubber.settings.MaxValueBytes)) {
		return true
	}
	p.descend(value)
	return false
}

// take reports whether the size is within the room.
func (p *Pass) take(size int) bool {
	if p.room < 0 {
		return false
	}
	p.room -= size
	return p.room >= 0
}

// sizeOf counts a constant for every value, so that empty ones count, and of a string only the part kept.
func sizeOf(value pcommon.Value, limit int) int {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return word + min(len(value.Str()), limit)
	case pcommon.ValueTypeBytes:
		return word + min(value.Bytes().Len(), limit)
	}
	return word
}
