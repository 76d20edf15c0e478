// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package scrub

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/tasker-otel/otelcol-tasker/internal/printable"
)

// ellipsis ends a text that was cut.
const ellipsis = "…"

func (p *Pass) cutText(value pcommon.Value) {
	if text, cut := p.shortened(value.Str()); cut {
		value.SetStr(text)
	}
}

func (p *Pass) shortened(text string) (short string, cut bool) {
	limit := p.scrubber.settings.MaxValueBytes
	if len(text) <= limit {
		return text, false
	}
	p.Truncated++
	return printable.Cut(text, limit-len(ellipsis)) + ellipsis, true
}

func (p *Pass) cutBytes(value pcommon.Value) {
	limit := p.scrubber.settings.MaxValueBytes
	bytes := value.Bytes()
	if bytes.Len() <= limit {
		return
	}
	bytes.FromRaw(bytes.AsRaw()[:limit])
	p.Truncated++
}

// cutBacktrace handles both forms: a list of lines, and one string.
func (p *Pass) cutBacktrace(value pcommon.Value) {
	limit := p.scrubber.settings.MaxBacktraceLines
	switch value.Type() {
	case pcommon.ValueTypeSlice:
		lines := value.Slice()
		if lines.Len() <= limit {
			return
		}
		seen := 0
		lines.RemoveIf(func(pcommon.Value) bool { seen++; return seen > limit })
		p.Truncated++
	case pcommon.ValueTypeStr:
		text := value.Str()
		end := endOfLine(text, limit)
		if end == len(text) {
			return
		}
		value.SetStr(text[:end] + "\n" + ellipsis)
		p.Truncated++
	}
}

// endOfLine returns the end of the n-th line of a text, or of the text.
func endOfLine(text string, n int) int {
	end := -1
	for range n {
		next := strings.IndexByte(text[end+1:], '\n')
		if next < 0 {
			return len(text)
		}
		end += 1 + next
	}
	if text[end+1:] == ellipsis {
		return len(text) // it was cut before
	}
	return end
}
