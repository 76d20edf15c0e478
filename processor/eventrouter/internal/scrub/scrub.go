package scrub

import (
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/tasker-otel/otelcol-tasker/internal/lifecycle"
	"github.com/tasker-otel/otelcol-tasker/internal/namecache"
	"github.com/tasker-otel/otelcol-tasker/internal/sqltext"
)

// maxCachedKeys bounds the memory that the keys of payloads take.
const maxCachedKeys = 4096

// Settings say what is kept. All limits are positive.
type Settings struct {
	// Bulky are the payload keys to leave out.
	Bulky []string
	// Sensitive are the parts of keys whose values are masked, compared without regard to case.
	Sensitive []string
	// Mask stands for a masked value.
	Mask string
	// MaxValueBytes is the longest text or byte string.
	MaxValueBytes int
	// MaxStructureBytes is the largest map or list, by its keys and values.
	MaxStructureBytes int
	// MaxBacktraceLines is the longest backtrace.
	MaxBacktraceLines int
}

// Scrubber is immutable and safe for concurrent use.
type Scrubber struct {
	settings Settings
	verdicts *namecache.Cache[verdict]
}

// verdict is what is known about a key.
type verdict struct {
	bulky, sensitive, sql, backtrace bool
}

// New makes a scrubber.
func New(settings Settings) *Scrubber {
	settings.Sensitive = slices.Clone(settings.Sensitive)
	for i, part := range settings.Sensitive {
		settings.Sensitive[i] = strings.ToLower(part)
	}
	s := &Scrubber{settings: settings}
	s.verdicts = namecache.New(maxCachedKeys, s.judge)
	return s
}

func (s *Scrubber) judge(key string) verdict {
	name := strings.TrimPrefix(key, lifecycle.AttributePrefix)
	lower := strings.ToLower(name)
	return verdict{
		bulky:     slices.Contains(s.settings.Bulky, name),
		sensitive: slices.ContainsFunc(s.settings.Sensitive, func(part string) bool { return strings.Contains(lower, part) }),
		sql:       name == "sql" || name == "db.statement" || name == lifecycle.AttrDBQueryText,
		backtrace: name == "backtrace" || name == lifecycle.AttrExceptionStacktrace,
	}
}

// Counts are values, not events.
type Counts struct {
	// Removed were left out as bulky, Masked had a sensitive key, Truncated were cut at a limit.
	Removed, Masked, Truncated int64
}

// Pass scrubs the records of one batch and counts what it did. It belongs to one goroutine.
type Pass struct {
	Counts
	scrubber *Scrubber
	// room is what is left of MaxStructureBytes in the structure being walked.
	room int
	// attribute, entry and element are the methods of these names, kept because making them anew would allocate.
	attribute, entry func(string, pcommon.Value) bool
	element          func(pcommon.Value) bool
}

// NewPass begins a batch.
func (s *Scrubber) NewPass() *Pass {
	p := &Pass{scrubber: s}
	p.attribute, p.entry, p.element = p.scrubAttribute, p.scrubEntry, p.scrubElement
	return p
}

// Scrub changes the record's attributes and body.
func (p *Pass) Scrub(record plog.LogRecord) {
	record.Attributes().RemoveIf(p.attribute)
	if body := record.Body(); body.Type() == pcommon.ValueTypeMap {
		body.Map().RemoveIf(p.attribute)
	} else {
		p.scrubValue(body)
	}
}

// scrubAttribute is true for an attribute that has to go.
func (p *Pass) scrubAttribute(key string, value pcommon.Value) bool {
	v := p.scrubber.verdicts.Get(key)
	if v.bulky {
		p.Removed++
		return true
	}
	if !p.scrubByKey(v, value) {
		p.scrubValue(value)
	}
	return false
}

// scrubByKey is true if nothing is left to do about the value.
func (p *Pass) scrubByKey(v verdict, value pcommon.Value) bool {
	switch {
	case v.sensitive:
		p.mask(value)
		return true
	case v.sql && value.Type() == pcommon.ValueTypeStr:
		if clean := sqltext.Sanitize(value.Str()); clean != value.Str() {
			value.SetStr(clean)
		}
	case v.backtrace:
		p.cutBacktrace(value)
	}
	return false
}

// mask leaves alone what is masked already, so that a second router counts nothing.
func (p *Pass) mask(value pcommon.Value) {
	if value.Type() == pcommon.ValueTypeStr && value.Str() == p.scrubber.settings.Mask {
		return
	}
	value.SetStr(p.scrubber.settings.Mask)
	p.Masked++
}

// scrubValue begins a structure: its room is its own.
func (p *Pass) scrubValue(value pcommon.Value) {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		p.cutText(value)
	case pcommon.ValueTypeBytes:
		p.cutBytes(value)
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
	case pcommon.ValueTypeStr:
		p.cutText(value)
	case pcommon.ValueTypeBytes:
		p.cutBytes(value)
	}
}

func (p *Pass) scrubEntry(key string, value pcommon.Value) bool {
	if !p.take(len(key) + sizeOf(value, p.scrubber.settings.MaxValueBytes)) {
		return true
	}
	if !p.scrubByKey(p.scrubber.verdicts.Get(key), value) {
		p.descend(value)
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

// take is false once the room is used up.
func (p *Pass) take(size int) bool {
	if p.room < 0 {
		return false
	}
	p.room -= size
	return p.room >= 0
}

// sizeOf counts a word for every value, so that empty ones are not free, and of a text only what is kept of it.
func sizeOf(value pcommon.Value, limit int) int {
	const word = 8
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return word + min(len(value.Str()), limit)
	case pcommon.ValueTypeBytes:
		return word + min(value.Bytes().Len(), limit)
	}
	return word
}
