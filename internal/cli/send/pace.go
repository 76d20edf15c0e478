// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package send

import (
	"bytes"
	"encoding/json"
	"time"
)

// occurredKey is the key of an item's time in the plain format.
const occurredKey = "occurred_at"

// shortestWait is the minimum wait: items within it are sent together, slightly early.
const shortestWait = 20 * time.Millisecond

// pacer replays a recording: each item is sent at its time relative to the file's first item, and gets that time as its
// occurred_at. Each file starts when its first item is read.
type pacer struct {
	speed float64 // 2 is twice the original speed
	now   func() time.Time

	file        string
	first, from time.Time // of the file's first item: its time, and when it was read
}

// newPacer returns nil if items are sent unchanged.
func newPacer(s *Settings) *pacer {
	if s.Pace <= 0 {
		return nil
	}
	return &pacer{speed: s.Pace, now: s.Now}
}

// item sets an item's new time and returns the wait until then. An item without a time is not changed.
func (p *pacer) item(file string, item []byte) (moved []byte, wait time.Duration) {
	at, from, to, found := occurrence(item)
	if !found {
		return item, 0
	}
	if file != p.file || p.first.IsZero() {
		p.file, p.first, p.from = file, at, p.now()
	}
	due := p.from.Add(time.Duration(float64(at.Sub(p.first)) / p.speed))
	text := due.UTC().AppendFormat([]byte{'"'}, time.RFC3339Nano)
	moved = append(append(append(moved, item[:from]...), append(text, '"')...), item[to:]...)
	return moved, due.Sub(p.now())
}

// occurrence finds the time of an item and its position in the text, including quotes.
func occurrence(item []byte) (at time.Time, from, to int, found bool) {
	decoder := json.NewDecoder(bytes.NewReader(item))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return at, 0, 0, false
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return at, 0, 0, false
		}
		before := int(decoder.InputOffset())
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return at, 0, 0, false
		}
		if key != occurredKey {
			continue
		}
		var text string
		if json.Unmarshal(value, &text) != nil {
			return at, 0, 0, false
		}
		if at, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return at, 0, 0, false
		}
		to = int(decoder.InputOffset())
		from = to - len(value)
		return at, from, to, from >= before
	}
	return at, 0, 0, false
}
